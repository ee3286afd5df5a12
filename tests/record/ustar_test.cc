#include "harness/record/ustar.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

class Tar : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteSampleBundle(folder());
    MakeFolders(folder() / "empty");
    WriteFileAtomic(folder() / "log.txt", "");
    WriteTar(archive(), {folder()});
  }
  fs::path folder() const { return scratch_.path() / "bundle"; }
  fs::path archive() const { return scratch_.path() / "b.tar"; }
  fs::path out() const { return scratch_.path() / "out"; }

  /// What unpacking these bytes complains of; "" when it does not.
  std::string ErrorOf(const std::string& bytes, const TarLimits& limits = {}) {
    std::ofstream(scratch_.path() / "x.tar") << bytes;
    fs::remove_all(out());
    try {
      ReadTar(scratch_.path() / "x.tar", out(), limits);
      return "";
    } catch (const DataError& error) {
      return error.what();
    }
  }
  /// The archive with the first header's field changed and its sum put right.
  static std::string Changed(std::string bytes, std::size_t offset,
                             const std::string& text) {
    bytes.replace(offset, text.size(), text);
    bytes.replace(148, 8, "        ");
    unsigned sum = 0;
    for (int i = 0; i < 512; ++i) sum += static_cast<unsigned char>(bytes[i]);
    std::string octal(7, '0');
    for (std::size_t i = 7; i-- > 0; sum /= 8) octal[i] = char('0' + sum % 8);
    bytes.replace(148, 8, octal + std::string(1, '\0'));
    return bytes;
  }

  ScratchFolder scratch_;
};

TEST_F(Tar, ABundleComesBackWhole) {
  EXPECT_EQ(ReadTar(archive(), out()), std::vector<std::string>{"bundle"});
  EXPECT_EQ(ToJson(ReadBundle(out() / "bundle")), ToJson(ReadBundle(folder())));
}

TEST_F(Tar, EqualFoldersGiveEqualBytes) {
  WriteTar(scratch_.path() / "again.tar", {folder()});
  EXPECT_EQ(ReadFile(archive()), ReadFile(scratch_.path() / "again.tar"));
}

TEST_F(Tar, OtherProgramsReadItAndWeReadTheirs) {
  const std::string where = scratch_.path().string();
  if (std::system("tar --version > /dev/null 2>&1") != 0) {
    GTEST_SKIP() << "tar is not installed";
  }
  EXPECT_EQ(std::system(("mkdir " + where + "/t && tar -C " + where +
                         "/t -xf " + archive().string())
                            .c_str()),
            0);
  EXPECT_EQ(ToJson(ReadBundle(scratch_.path() / "t/bundle")),
            ToJson(ReadBundle(folder())));
  EXPECT_EQ(std::system(("tar --format=ustar -C " + where + " -cf " + where +
                         "/g.tar bundle")
                            .c_str()),
            0);
  ReadTar(scratch_.path() / "g.tar", out());
  EXPECT_EQ(ToJson(ReadBundle(out() / "bundle")), ToJson(ReadBundle(folder())));
}

TEST_F(Tar, ALongNameIsSplitAtASlash) {
  const fs::path deep = folder() / std::string(90, 'a') / std::string(90, 'b');
  MakeFolders(deep);
  WriteFileAtomic(deep / "f", "x");
  WriteTar(archive(), {folder()});
  ReadTar(archive(), out());
  EXPECT_EQ(ReadFile(out() / "bundle" / std::string(90, 'a') /
                     std::string(90, 'b') / "f"),
            "x");
}

TEST_F(Tar, CutOffAnywhereItIsRefused) {
  const std::string bytes = ReadFile(archive());
  for (std::size_t size = 0; size + 1024 < bytes.size(); size += 397) {
    EXPECT_NE(ErrorOf(bytes.substr(0, size)), "") << size;
  }
}

TEST_F(Tar, AFlippedHeaderByteIsRefused) {
  const std::string bytes = ReadFile(archive());
  for (std::size_t at = 0; at < 512; at += 3) {
    std::string wrong = bytes;
    wrong[at] = static_cast<char>(wrong[at] ^ 1);
    EXPECT_NE(ErrorOf(wrong), "") << at;
  }
}

TEST_F(Tar, NamesThatLeadElsewhereAreRefused) {
  const std::string bytes = ReadFile(archive());
  for (const char* name : {"../x", "/tmp/x", "a/../../x", "./x"}) {
    const std::string error =
        ErrorOf(Changed(bytes, 0, name + std::string(20, '\0')));
    EXPECT_NE(error.find("leads elsewhere"), std::string::npos) << error;
  }
}

TEST_F(Tar, LinksAndDevicesAreRefused) {
  const std::string bytes = ReadFile(archive());
  for (const char* type : {"1", "2", "3", "6", "x", "L"}) {
    EXPECT_NE(ErrorOf(Changed(bytes, 156, type)).find("neither a file"),
              std::string::npos);
  }
}

TEST_F(Tar, ASizeThatLiesIsRefusedBeforeAnythingIsMade) {
  const std::string error =
      ErrorOf(Changed(ReadFile(archive()), 124, "77777777777"));
  EXPECT_NE(error.find("more bytes than are left"), std::string::npos) << error;
}

TEST_F(Tar, MoreThanMayBeUnpackedIsRefused) {
  EXPECT_NE(ErrorOf(ReadFile(archive()), {.entries = 2}).find("goes beyond"),
            std::string::npos);
  EXPECT_NE(ErrorOf(ReadFile(archive()), {.bytes = 10}).find("goes beyond"),
            std::string::npos);
}

}  // namespace
}  // namespace tailmark
