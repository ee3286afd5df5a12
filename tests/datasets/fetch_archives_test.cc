// Images out of archives that stream by, and the reader of such streams.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "datasets/fetch/fetch.h"
#include "datasets/fetch/tar_stream.h"
#include "harness/base/clock.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/datasets/fault_server.h"
#include "tests/datasets/fetch_sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using std::string;

class FetchArchive : public FetchTest {
 protected:
  FetchArchive() {
    for (const int i : {0, 3, 5}) {
      paths_.push_back(StrCat("VOCdevkit/VOC2012/JPEGImages/", i, ".jpg"));
    }
  }
  fetch::FetchReport Run(FaultServer& server) {
    auto job = JobFor({}, paths_);
    job.mirrors.archives = {{.prefix = "VOCdevkit/VOC2012/",
                             .bytes = 1,
                             .urls = {server.url() + "x.tar"}}};
    return fetch::Fetch(job);
  }
  void ExpectJustThese() const {
    std::size_t files = 0;
    for (const auto& entry :
         fs::recursive_directory_iterator(root_.path() / "VOCdevkit")) {
      files += entry.is_regular_file() ? 1 : 0;
    }
    EXPECT_EQ(files, paths_.size());
    EXPECT_EQ(ReadFile(root_.path() / paths_[1]), NoisyPicture(3));
    EXPECT_FALSE(fs::exists(root_.path() / "x.tar"));
  }
  std::vector<string> paths_;
  string tar_ = PictureArchive();
};

TEST_F(FetchArchive, KeepsJustTheImagesAskedFor) {
  FaultServer server([&](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, tar_);
  });
  const auto report = Run(server);
  EXPECT_TRUE(report.problems.empty());
  EXPECT_EQ(report.got, 3);
  ExpectJustThese();
}

TEST_F(FetchArchive, GoesOnWhereTheConnectionBroke) {
  std::vector<std::int64_t> asked;
  FaultServer server([&](const HttpRequest& request, HttpReply& reply) {
    asked.push_back(request.from);
    const auto end =
        std::min(tar_.size(), static_cast<std::size_t>(request.from) + 5000);
    const string head = tar_.substr(0, end);
    if (!request.ranged) {
      return reply.Send(200, StrCat("Content-Length: ", tar_.size(), "\r\n"),
                        head);
    }
    reply.Send(206,
               StrCat("Content-Length: ", tar_.size() - request.from,
                      "\r\nContent-Range: bytes ", request.from, "-",
                      tar_.size() - 1, "/", tar_.size(), "\r\n"),
               head.substr(static_cast<std::size_t>(request.from)));
  });
  EXPECT_TRUE(Run(server).problems.empty());
  ExpectJustThese();
  ASSERT_GE(asked.size(), 3u);
  EXPECT_EQ(asked[1], 5000);
}

TEST_F(FetchArchive, GoesOnInTheNextProcessAtAHeader) {
  std::size_t most = 9000;
  std::int64_t asked = -1;
  FaultServer server([&](const HttpRequest& request, HttpReply& reply) {
    if (static_cast<std::size_t>(request.from) >= most) {
      return reply.Send(404, "Content-Length: 0\r\n", "");
    }
    asked = request.from;
    reply.Serve(request, std::string_view(tar_).substr(0, most));
  });
  auto first = Run(server);
  EXPECT_EQ(first.problems.size(), 2u);
  EXPECT_TRUE(fs::exists(root_.path() / paths_[0]));
  most = tar_.size();
  asked = -1;
  EXPECT_TRUE(Run(server).problems.empty());
  EXPECT_GT(asked, 0);
  EXPECT_EQ(asked % 512, 0);
  ExpectJustThese();
}

TEST_F(FetchArchive, AnErrorPageIsNoArchive) {
  FaultServer server([](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, string(2000, 'x'));
  });
  const auto report = Run(server);
  ASSERT_EQ(report.problems.size(), 3u);
  TM_EXPECT_HAS(report.problems[0].what, "no header of a tar archive");
}

TEST_F(FetchArchive, AnImageThatIsNotInTheArchiveIsNamed) {
  paths_.push_back("VOCdevkit/VOC2012/JPEGImages/9.jpg");
  FaultServer server([&](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, tar_);
  });
  const auto report = Run(server);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].path, paths_.back());
  TM_EXPECT_HAS(report.problems[0].what, "not in the archive");
}

// As trainval and test of VOC2007.
TEST_F(FetchArchive, TwoArchivesMayShareAFolder) {
  const string folder = "VOCdevkit/VOC2007/";
  const string first = PictureArchive(folder, 0);
  const string second = PictureArchive(folder, 6);
  FaultServer server([&](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, request.path == "/a.tar" ? first : second);
  });
  auto job = JobFor({}, {});
  for (const int i : {1, 4, 8, 11, 20}) {
    job.paths.push_back(StrCat(folder, "JPEGImages/", i, ".jpg"));
  }
  for (const char* name : {"a.tar", "b.tar"}) {
    job.mirrors.archives.push_back(
        {.prefix = folder, .bytes = 7, .urls = {server.url() + name}});
  }
  EXPECT_EQ(fetch::Estimate(job).bytes_to_read, 14);
  const auto report = fetch::Fetch(job);
  EXPECT_EQ(report.got, 4);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].path, folder + "JPEGImages/20.jpg");
  TM_EXPECT_HAS(report.problems[0].what, "not in the archive");
  EXPECT_EQ(ReadFile(root_.path() / job.paths[2]), NoisyPicture(8));
}

TEST(TarStream, GivesTheSameInPiecesOfAnySize) {
  const string tar = PictureArchive();
  for (const std::size_t piece : {1UL, 7UL, 511UL, 512UL, 513UL, 100000UL}) {
    std::vector<string> names;
    fetch::TarStream stream(
        "x.tar",
        {.wanted = [](const string& name,
                      std::int64_t) { return name.ends_with(".jpg"); },
         .file =
             [&](const string& name, const string& bytes) {
               names.push_back(name + Sha256Hex(bytes));
             }},
        1 << 20);
    for (std::size_t at = 0; at < tar.size(); at += piece) {
      stream.Feed(std::string_view(tar).substr(at, piece));
    }
    EXPECT_TRUE(stream.finished());
    ASSERT_EQ(names.size(), 6u);
    EXPECT_EQ(names[4], "VOCdevkit/VOC2012/JPEGImages/4.jpg" +
                            Sha256Hex(NoisyPicture(4)));
  }
}

TEST(TarStream, ReadsLongNames) {
  const string name = string(150, 'd') + "/1.jpg";
  const string tar = TarEntry("././@LongLink", name + '\0', 'L') +
                     TarEntry("cut", "one") +
                     TarEntry("pax", "165 path=" + name + "\n", 'x') +
                     TarEntry("cut", "two") + string(1024, '\0');
  std::vector<string> seen;
  fetch::TarStream stream(
      "x.tar",
      {.wanted = [](const string&, std::int64_t) { return true; },
       .file = [&](const string& n,
                   const string& bytes) { seen.push_back(n + "=" + bytes); }},
      1 << 20);
  stream.Feed(tar);
  EXPECT_EQ(seen, (std::vector<string>{name + "=one", name + "=two"}));
}

TEST(TarStream, ALyingHeaderIsNamed) {
  string tar = TarEntry("a.jpg", "x");
  const auto error = [](const string& bytes) -> string {
    fetch::TarStream stream(
        "x.tar",
        {.wanted = [](const string&, std::int64_t) { return true; },
         .file = [](const string&, const string&) {}},
        100);
    try {
      stream.Feed(bytes);
    } catch (const DataError& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(error(tar), "no error");
  string changed = tar;
  changed[0] = 'b';
  EXPECT_EQ(error(changed),
            "x.tar: byte 512: a header whose checksum is wrong");
  EXPECT_EQ(error(TarEntry("a.jpg", string(200, 'x'))),
            "x.tar: byte 512: a.jpg has 200 bytes, expected at most 100");
}

}  // namespace
}  // namespace tailmark
