#include "harness/base/torch_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/error.h"

namespace tailmark {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;
using testing::HasSubstr;

template <class T>
std::string Raw(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// A zip archive of stored members; `method` is written into its directory.
std::string Zip(const Members& members, std::uint16_t method = 0) {
  std::string file;
  std::string directory;
  for (const auto& [name, data] : members) {
    const auto size = static_cast<std::uint32_t>(data.size());
    const auto length = static_cast<std::uint16_t>(name.size());
    const auto place = static_cast<std::uint32_t>(file.size());
    file += Raw<std::uint32_t>(0x04034B50) + std::string(10, '\0') +
            Raw<std::uint32_t>(0) + Raw(size) + Raw(size) + Raw(length) +
            Raw<std::uint16_t>(0) + name + data;
    directory += Raw<std::uint32_t>(0x02014B50) + std::string(6, '\0') +
                 Raw(method) + std::string(8, '\0') + Raw(size) + Raw(size) +
                 Raw(length) + std::string(12, '\0') + Raw(place) + name;
  }
  const auto count = static_cast<std::uint16_t>(members.size());
  const auto at = static_cast<std::uint32_t>(file.size());
  return file + directory + Raw<std::uint32_t>(0x06054B50) +
         std::string(4, '\0') + Raw(count) + Raw(count) +
         Raw(static_cast<std::uint32_t>(directory.size())) + Raw(at) +
         Raw<std::uint16_t>(0);
}

std::string Text(const std::string& text) {
  return "X" + Raw(static_cast<std::uint32_t>(text.size())) + text;
}
std::string Small(int number) {
  return std::string("K") + static_cast<char>(number);
}
std::string Pair(int a, int b) { return Small(a) + Small(b) + "\x86"; }

const std::string kRebuild = "ctorch._utils\n_rebuild_tensor_v2\n";

/// A tensor of a storage with `count` floats.
std::string Tensor(int count, int offset, const std::string& shape,
                   const std::string& strides, const std::string& key = "0") {
  return kRebuild + "((" + Text("storage") + "ctorch\nFloatStorage\n" +
         Text(key) + Text("cpu") + Small(count) + "tQ" + Small(offset) + shape +
         strides +
         "\x89"
         "ccollections\nOrderedDict\n)RtR";
}

std::string Floats(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += Raw(static_cast<float>(i));
  return bytes;
}

TorchArchive Read(const std::string& program, const std::string& storage) {
  return TorchArchive::Parse(
      Zip({{"a/data.pkl", program}, {"a/data/0", storage}}), "test");
}

std::string ErrorOf(const std::string& program, const std::string& storage) {
  try {
    (void)Read(program, storage);
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

const std::string kProtocol = "\x80\x02";

TEST(TorchArchiveTest, ReadsDictionariesOfTensors) {
  const auto archive = Read(kProtocol + "}(" + Text("w") +
                                Tensor(6, 0, Pair(2, 3), Pair(3, 1)) + "u.",
                            Floats(6));
  ASSERT_EQ(archive.tensors().size(), 1U);
  const TensorView& view = archive.tensors().at("w");
  EXPECT_EQ(view.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(view.bytes.size(), 24U);
}

TEST(TorchArchiveTest, TransposedTensorsComeOutDense) {
  const auto archive = Read(kProtocol + "}(" + Text("w") +
                                Tensor(6, 0, Pair(3, 2), Pair(1, 3)) + "u.",
                            Floats(6));
  const TensorView& view = archive.tensors().at("w");
  float values[6];
  std::memcpy(values, view.bytes.data(), sizeof(values));
  EXPECT_THAT(values, testing::ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(TorchArchiveTest, AttributesOfObjectsAreJoinedByDots) {
  const auto archive =
      Read(kProtocol + "c__torch__\nModel\n)\x81}(" + Text("inner") +
               "c__torch__\nInner\n)\x81}(" + Text("w") +
               Tensor(2, 0, Pair(2, 1), Pair(1, 1)) + "ubub.",
           Floats(2));
  EXPECT_TRUE(archive.tensors().contains("inner.w"));
}

TEST(TorchArchiveTest, CallsNothingButWhatTensorsNeed) {
  EXPECT_THAT(ErrorOf(kProtocol + "cos\nsystem\n" + Text("id") + "\x85R.", ""),
              HasSubstr("calls 'os system', which weights have no need of"));
  EXPECT_THAT(ErrorOf(kProtocol + "ios\nsystem\n.", ""),
              HasSubstr("instruction 105 at byte 2"));
}

TEST(TorchArchiveTest, TensorsStayInsideTheirStorage) {
  const auto with = [](const std::string& tensor) {
    return ErrorOf(kProtocol + "}(" + Text("w") + tensor + "u.", Floats(6));
  };
  EXPECT_THAT(with(Tensor(7, 0, Pair(2, 3), Pair(3, 1))),
              HasSubstr("says storage '0' has 7 elements, but the archive"));
  EXPECT_THAT(with(Tensor(6, 1, Pair(2, 3), Pair(3, 1))),
              HasSubstr("not inside its storage"));
  EXPECT_THAT(with(Tensor(6, 0, Pair(2, 3), Pair(9, 1))),
              HasSubstr("not inside its storage"));
  EXPECT_THAT(with(Tensor(6, 0, Pair(200, 200), Pair(0, 0))),
              HasSubstr("too large"));
}

TEST(TorchArchiveTest, DamageIsNamedAndNeverCrashes) {
  const std::string good =
      Zip({{"a/data.pkl", kProtocol + "}(" + Text("w") +
                              Tensor(6, 0, Pair(2, 3), Pair(3, 1)) + "u."},
           {"a/data/0", Floats(6)}});
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THROW((void)TorchArchive::Parse(good.substr(0, size), "cut"),
                 DataError)
        << size;
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char bits : {'\x01', '\x80', '\xFF'}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ bits);
      try {
        (void)TorchArchive::Parse(bad, "flipped");
      } catch (const DataError&) {
      }
    }
  }
}

/// What is said of an archive whose one member is compressed.
std::string ErrorOfCompressed(const std::string& member) {
  try {
    (void)TorchArchive::Parse(Zip({{member, "."}}, 8), "test");
    return "";
  } catch (const DataError& error) {
    return error.what();
  }
}

TEST(TorchArchiveTest, CompressedMembersAreRefused) {
  EXPECT_THAT(ErrorOfCompressed("a/data.pkl"),
              HasSubstr("is compressed or encrypted"));
}

std::string Repeated(const std::string& part, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += part;
  return all;
}

TEST(TorchArchiveTest, ShapesOfAbsurdLengthAreRefusedBeforeTheyAreRead) {
  const std::string shape = "(" + Repeated(Small(1), 100'000) + "t";
  EXPECT_THAT(ErrorOf(kProtocol + "}(" + Text("w") +
                          Tensor(6, 0, shape, Pair(3, 1)) + "u.",
                      Floats(6)),
              HasSubstr("a shape of 100000 dimensions; at most 16 are read"));
}

TEST(TorchArchiveTest, StoragesAreCopiedOnlySoOften) {
  // Function and arguments are kept, so that a copy costs a few bytes.
  std::string arguments =
      Tensor(100, 0, Pair(50, 2), Pair(1, 50)).substr(kRebuild.size());
  arguments.pop_back();  // the call
  const std::string call =
      Text("k") + "h" + std::string(1, '\0') + "h" + std::string(1, '\1') + "R";
  const std::string program =
      kProtocol + kRebuild + "q" + std::string(1, '\0') + arguments + "q" +
      std::string(1, '\1') + "}(" + Repeated(call, 300) + "u.";
  EXPECT_THAT(ErrorOf(program, Floats(100)),
              HasSubstr("repeats its storages too often"));
}

TEST(TorchArchiveTest, SmallTransposedTensorsMayFollowLargeOnes) {
  std::string program = kProtocol + "}(";
  for (const char* name : {"a", "b", "c", "d"}) {
    program += Text(name) + Tensor(240, 0, Pair(120, 2), Pair(1, 120), name);
  }
  program += Text("small") + Tensor(4, 0, Pair(2, 2), Pair(1, 2), "e") + "u.";
  const auto archive = TorchArchive::Parse(Zip({{"a/data.pkl", program},
                                                {"a/data/a", Floats(240)},
                                                {"a/data/b", Floats(240)},
                                                {"a/data/c", Floats(240)},
                                                {"a/data/d", Floats(240)},
                                                {"a/data/e", Floats(4)}}),
                                           "test");
  EXPECT_EQ(archive.tensors().at("small").bytes.size(), 16U);
}

/// Dictionaries, each of which has the one before it `width` times.
std::string Doubling(const std::string& key, int width, int depth) {
  std::string program = kProtocol + "}(" + Text("w") +
                        Tensor(2, 0, Pair(2, 1), Pair(1, 1)) + "uq" +
                        std::string(1, '\0');
  for (int i = 0; i < depth; ++i) {
    program += "}(";
    for (int k = 0; k < width; ++k) {
      program += key + "h" + static_cast<char>(i);
    }
    program += "uq" + std::string(1, static_cast<char>(i + 1));
  }
  return program + ".";
}

TEST(TorchArchiveTest, DictionariesThatMultiplyAreRefused) {
  EXPECT_THAT(ErrorOf(Doubling(Text("k"), 2, 40), Floats(2)),
              HasSubstr("data.pkl has too many items"));
  EXPECT_THAT(ErrorOf(Doubling(Small(1), 1000, 1), Floats(2)),
              HasSubstr("no tensors in it"));
}

TEST(TorchArchiveTest, NamesDoNotGrowWithoutBound) {
  EXPECT_THAT(ErrorOf(Doubling(Text(std::string(5000, 'k')), 1, 1), Floats(2)),
              HasSubstr("names a tensor with over 4096 bytes"));
  EXPECT_THAT(ErrorOf(Doubling(Text(std::string(1000, 'k')), 1, 5), Floats(2)),
              HasSubstr("names a tensor with over 4096 bytes"));
  EXPECT_THAT(ErrorOf(Doubling(Text(std::string(200, 'k')), 2, 17), Floats(2)),
              HasSubstr("has too many tensors to name"));
}

TEST(TorchArchiveTest, CompressedCodeIsNoMatter) {
  EXPECT_THAT(ErrorOfCompressed("a/code/__torch__.py"),
              HasSubstr("no tensors in it"));
}

TEST(TorchArchiveTest, NestingAMillionDeepIsNoHarm) {
  std::string deep = kProtocol + ")";
  deep += std::string(900'000, '\x85');
  EXPECT_THAT(ErrorOf(deep + ".", ""), HasSubstr("no tensors in it"));
}

}  // namespace
}  // namespace tailmark
