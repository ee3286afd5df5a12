// One file with a known hash from servers that cut off, stall, refuse and serve
// something else.
#include <gtest/gtest.h>

#include "datasets/fetch/file.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/datasets/fault_server.h"
#include "tests/datasets/folder_sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

class FetchFile : public ::testing::Test {
 protected:
  FetchFile() {
    for (int i = 0; i < 200'000; ++i) {
      body_ += static_cast<char>((i * 2654435761U) >> 24);
    }
  }
  fetch::FileJob Job(const std::vector<std::string>& urls) const {
    fetch::FileJob job{.title = "test",
                       .urls = urls,
                       .target = root_.path() / "w/file.pt",
                       .sha256 = Sha256Hex(body_)};
    job.limits.connect_seconds = 2;
    job.limits.stall_seconds = 1;
    job.retry = {.attempts = 3, .first_wait = 0.01, .longest_wait = 0.05};
    return job;
  }
  fetch::FileReport Get(const FaultServer::Handler& handler) const {
    FaultServer server(handler);
    return fetch::FetchFile(Job({server.url() + "file.pt"}));
  }
  void ExpectWhole() const {
    EXPECT_EQ(ReadFile(root_.path() / "w/file.pt"), body_);
    EXPECT_FALSE(fs::exists(root_.path() / "w/file.pt.part"));
  }
  std::string Length() const {
    return StrCat("Content-Length: ", body_.size(), "\r\n");
  }

  TempFolder root_;
  std::string body_;
};

TEST_F(FetchFile, ComesOnceAndIsNotAskedForAgain) {
  FaultServer server([&](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, body_);
  });
  const auto job = Job({server.url() + "file.pt"});
  EXPECT_EQ(fetch::FetchFile(job).state, fetch::FileState::kCame);
  ExpectWhole();
  EXPECT_EQ(fetch::FetchFile(job).state, fetch::FileState::kWasThere);
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(FetchFile, GoesOnWhereItWasCutOff) {
  std::int64_t asked = -1;
  const auto report = Get([&](const HttpRequest& request, HttpReply& reply) {
    if (request.count == 1) {
      reply.Send(200, Length(), body_.substr(0, 70'000));
    } else {
      asked = request.from;
      reply.Serve(request, body_);
    }
  });
  EXPECT_EQ(report.state, fetch::FileState::kCame) << report.what;
  EXPECT_EQ(asked, 70'000);
  ExpectWhole();
}

TEST_F(FetchFile, WhatAnEarlierCallLeftIsGoneOnWith) {
  MakeFolders(root_.path() / "w");
  WriteFileAtomic(root_.path() / "w/file.pt.part", body_.substr(0, 150'000));
  std::int64_t asked = -1;
  const auto report = Get([&](const HttpRequest& request, HttpReply& reply) {
    asked = request.from;
    reply.Serve(request, body_);
  });
  EXPECT_EQ(report.state, fetch::FileState::kCame) << report.what;
  EXPECT_EQ(asked, 150'000);
  ExpectWhole();
}

TEST_F(FetchFile, OtherBytesAreNeverKeptAndBothHashesAreSaid) {
  const std::string other(body_.size(), 'x');
  const auto report = Get([&](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, other);
  });
  EXPECT_EQ(report.state, fetch::FileState::kDidNot);
  EXPECT_NE(report.what.find(Sha256Hex(other)), std::string::npos);
  EXPECT_NE(report.what.find(Sha256Hex(body_)), std::string::npos);
  EXPECT_FALSE(fs::exists(root_.path() / "w/file.pt"));
  EXPECT_FALSE(fs::exists(root_.path() / "w/file.pt.part"));
}

TEST_F(FetchFile, AWrongBeginningIsThrownAwayAndAllIsGotAgain) {
  MakeFolders(root_.path() / "w");
  WriteFileAtomic(root_.path() / "w/file.pt.part", std::string(1000, 'x'));
  const auto report = Get([&](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, body_);
  });
  EXPECT_EQ(report.state, fetch::FileState::kCame) << report.what;
  ExpectWhole();
}

TEST_F(FetchFile, TheSecondAddressIsTriedWhenTheFirstRefusesOrStalls) {
  FaultServer refuses(
      [](const HttpRequest&, HttpReply& reply) { reply.Send(404, "", "no"); });
  FaultServer stalls(
      [](const HttpRequest&, HttpReply& reply) { reply.Stall(); });
  FaultServer honest([&](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, body_);
  });
  auto job = Job({refuses.url() + "file.pt", stalls.url() + "file.pt",
                  honest.url() + "file.pt"});
  job.retry.attempts = 1;
  const auto report = fetch::FetchFile(job);
  EXPECT_EQ(report.state, fetch::FileState::kCame) << report.what;
  EXPECT_EQ(refuses.requests(), 1);
  ExpectWhole();
}

TEST_F(FetchFile, AFileOfAnotherHashIsReplacedOnlyByTheRightOne) {
  MakeFolders(root_.path() / "w");
  WriteFileAtomic(root_.path() / "w/file.pt", "old");
  auto report = Get(
      [](const HttpRequest&, HttpReply& reply) { reply.Send(404, "", "no"); });
  EXPECT_EQ(report.state, fetch::FileState::kDidNot);
  EXPECT_NE(report.what.find("404"), std::string::npos);
  EXPECT_EQ(ReadFile(root_.path() / "w/file.pt"), "old");
  report = Get([&](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, body_);
  });
  EXPECT_EQ(report.state, fetch::FileState::kCame);
  ExpectWhole();
}

}  // namespace
}  // namespace tailmark
