// One file out of a zip archive on a server, of which nothing else is read.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "datasets/fetch/packed.h"
#include "datasets/fetch/zip_member.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/datasets/fault_server.h"
#include "tests/datasets/fetch_sample.h"
#include "tests/datasets/zip_sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using std::string;

class FetchZip : public FetchTest {
 protected:
  FetchZip() {
    for (int i = 0; i < 200'000; ++i) {
      body_ += static_cast<char>('a' + (i * 2654435761U >> 24) % 16);
    }
    archive_ = Archive(true);
  }
  string Archive(bool deflated) const {
    return ZipArchive({{"a/first.json", string(300'000, 'x')},
                       {"a/wanted.json", body_},
                       {"a/last.json", "{}"}},
                      deflated);
  }
  fetch::ZipMemberJob Job(const std::vector<string>& urls) const {
    return {.title = "test",
            .urls = urls,
            .member = "a/wanted.json",
            .target = Target(),
            .limits = {.connect_seconds = 2, .stall_seconds = 1},
            .retry = {.attempts = 3, .first_wait = 0.01, .longest_wait = 0.05}};
  }
  fetch::FileReport Member(const FaultServer::Handler& handler) const {
    FaultServer server(handler);
    return fetch::FetchZipMember(Job({server.url() + "x.zip"}));
  }
  fs::path Target() const { return root_.path() / "a/wanted.json"; }
  void ExpectMember() const {
    EXPECT_EQ(ReadFile(Target()), body_);
    EXPECT_FALSE(fs::exists(Target().string() + ".part"));
    EXPECT_FALSE(fs::exists(Target().string() + ".tmp"));
  }
  void ExpectNone() const {
    EXPECT_FALSE(fs::exists(Target()));
    EXPECT_FALSE(fs::exists(Target().string() + ".tmp"));
  }

  string body_;
  string archive_;
};

TEST_F(FetchZip, JustTheFileAskedForIsRead) {
  std::vector<std::int64_t> from;
  const auto report = Member([&](const HttpRequest& request, HttpReply& reply) {
    if (request.ranged) from.push_back(request.from);
    reply.Serve(request, archive_);
  });
  EXPECT_EQ(report.state, fetch::FileState::kCame) << report.what;
  ExpectMember();
  // Its header lies behind the first file, its content just behind that.
  ASSERT_GE(from.size(), 2u);
  EXPECT_EQ(from.back(), from[from.size() - 2] + 30 + 13 + 4);
  EXPECT_EQ(archive_.substr(static_cast<std::size_t>(from[from.size() - 2]), 4),
            "PK\x03\x04");
}

TEST_F(FetchZip, AStoredFileIsTakenAsItIs) {
  archive_ = Archive(false);
  const auto report = Member([&](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, archive_);
  });
  EXPECT_EQ(report.state, fetch::FileState::kCame) << report.what;
  ExpectMember();
}

TEST_F(FetchZip, AServerThatSendsAllFromTheStartWillDo) {
  const auto report = Member([&](HttpRequest request, HttpReply& reply) {
    request.ranged = false;
    reply.Serve(request, archive_);
  });
  EXPECT_EQ(report.state, fetch::FileState::kCame) << report.what;
  ExpectMember();
}

TEST_F(FetchZip, GoesOnWhereTheConnectionBroke) {
  archive_ = Archive(false);
  std::vector<std::int64_t> from;
  bool broken = false;
  const auto report = Member([&](const HttpRequest& request, HttpReply& reply) {
    from.push_back(request.from);
    const bool content = from.size() == 5;
    if (!content || broken) return reply.Serve(request, archive_);
    broken = true;
    const auto size = archive_.size() - static_cast<std::size_t>(request.from);
    reply.Send(206,
               StrCat("Content-Length: ", size, "\r\nContent-Range: bytes ",
                      request.from, "-", archive_.size() - 1, "/",
                      archive_.size(), "\r\n"),
               std::string_view(archive_).substr(
                   static_cast<std::size_t>(request.from), 50'000));
  });
  EXPECT_EQ(report.state, fetch::FileState::kCame) << report.what;
  EXPECT_TRUE(broken);
  EXPECT_EQ(from.back(), from[4] + 50'000);
  ExpectMember();
}

TEST_F(FetchZip, ChangedBytesAreNotKept) {
  const auto at = archive_.find("PK\x03\x04", 10) + 30 + 13 + 4 + 1000;
  archive_[at] = static_cast<char>(archive_[at] ^ 1);
  const auto report = Member([&](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, archive_);
  });
  EXPECT_EQ(report.state, fetch::FileState::kDidNot);
  TM_EXPECT_HAS(report.what, "its size or CRC-32 is another (3 attempts)");
  EXPECT_FALSE(fs::exists(Target().string() + ".part"));
  ExpectNone();
}

TEST_F(FetchZip, WhatIsNoSuchArchiveIsSaid) {
  const auto why = [&](const string& served) {
    ExpectNone();
    return Member([&](const HttpRequest& request, HttpReply& reply) {
             reply.Serve(request, served);
           })
        .what;
  };
  TM_EXPECT_HAS(why(string(2000, 'x')), "its end is not there");
  TM_EXPECT_HAS(why("x"), "too short for a zip archive");
  TM_EXPECT_HAS(why(ZipArchive({{"other", "1"}}, true)),
                "has no a/wanted.json");
  string zip64 = archive_;
  std::fill(zip64.end() - 10, zip64.end() - 2, '\xFF');
  TM_EXPECT_HAS(why(zip64), "zip64");
  string beyond = archive_;
  beyond[beyond.size() - 3] = '\x7F';
  TM_EXPECT_HAS(why(beyond), "beyond its end");
  string broken = archive_;
  // The directory's first byte: three entries of 46 bytes and their names, then
  // the end.
  broken[broken.size() - 22 - 138 - 12 - 13 - 11] = 'x';
  TM_EXPECT_HAS(why(broken), "directory is damaged");
}

TEST_F(FetchZip, TheNextAddressIsAskedAndTheManifestRemembers) {
  string later;
  std::atomic<const string*> served = &archive_;
  FaultServer refuses([](const HttpRequest&, HttpReply& reply) {
    reply.Send(403, "Content-Length: 0\r\n", "");
  });
  FaultServer good([&](const HttpRequest& request, HttpReply& reply) {
    if (request.path != "/b/x.zip") return reply.Send(404, "", "");
    reply.Serve(request, *served);
  });
  auto job = JobFor({refuses.url(), good.url()}, {});
  const std::vector<fetch::PackedFile> files = {
      {.what = "annotations", .archive = "b/x.zip", .member = "a/wanted.json"}};
  auto reports = fetch::FetchPacked(job, files);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].state, fetch::FileState::kCame) << reports[0].what;
  EXPECT_EQ(reports[0].bytes, 200'000);
  const int asked = good.requests();
  EXPECT_EQ(fetch::FetchPacked(job, files)[0].state,
            fetch::FileState::kWasThere);
  EXPECT_EQ(good.requests(), asked);

  // Whatever the archive says later: the first file was another.
  fs::remove(Target());
  const char first = std::exchange(body_[0], '!');
  later = Archive(true);
  served = &later;
  reports = fetch::FetchPacked(job, files);
  EXPECT_EQ(reports[0].state, fetch::FileState::kDidNot);
  TM_EXPECT_HAS(reports[0].what, "the manifest has");
  ExpectNone();

  // From a copy: the same rule.
  const TempFolder copy;
  copy.Write("a/wanted.json", body_);
  job.from = copy.path();
  EXPECT_EQ(fetch::FetchPacked(job, files)[0].state, fetch::FileState::kDidNot);
  body_[0] = first;
  copy.Write("a/wanted.json", body_);
  EXPECT_EQ(fetch::FetchPacked(job, files)[0].state, fetch::FileState::kCame);
  ExpectMember();
}

}  // namespace
}  // namespace tailmark
