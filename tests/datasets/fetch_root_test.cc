// What a root keeps: whole pictures that are what they were when they first
// came.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "datasets/fetch/fetch.h"
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

using FetchRoot = FetchTest;

TEST_F(FetchRoot, AnErrorPageIsNoPicture) {
  TM_EXPECT_HAS(Get([](const HttpRequest& request, HttpReply& reply) {
                  reply.Serve(request, "<html>Please log in</html>");
                }),
                "no whole picture");
  ExpectNothing();
}

TEST_F(FetchRoot, TheNextMirrorIsAskedWhenOneFails) {
  FaultServer broken([](const HttpRequest&, HttpReply& reply) {
    reply.Send(403, "Content-Length: 0\r\n", "");
  });
  FaultServer good([&](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, picture_);
  });
  const auto report = fetch::Fetch(JobFor({broken.url(), good.url()}));
  EXPECT_TRUE(report.problems.empty());
  ExpectWhole();
}

TEST_F(FetchRoot, WhatCameFirstIsWhatMustComeEverAfter) {
  const auto serve = [&](const string& bytes) {
    return Get([bytes](const HttpRequest& request, HttpReply& reply) {
      reply.Serve(request, bytes);
    });
  };
  EXPECT_EQ(serve(picture_), "");
  fs::remove(root_.path() / "a/1.jpg");
  TM_EXPECT_HAS(serve(NoisyPicture(2)), "the manifest has");
  ExpectNothing();
  EXPECT_EQ(serve(picture_), "");
}

TEST_F(FetchRoot, NoRoomIsSaidBeforeAnythingIsRead) {
  FaultServer server([](const HttpRequest&, HttpReply&) {});
  auto job = JobFor({server.url()});
  job.mirrors.bytes_per_image = std::int64_t{1} << 60;
  EXPECT_THROW(fetch::Fetch(job), StoreError);
  EXPECT_EQ(server.requests(), 0);
}

// ---- Verify and --from

TEST_F(FetchRoot, VerifyNamesWhatIsMissingChangedOrBroken) {
  FaultServer server([](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, NoisyPicture(std::atoi(request.path.c_str() + 3)));
  });
  const std::vector<string> paths = {"a/1.jpg", "a/2.jpg", "a/3.jpg",
                                     "a/4.jpg"};
  ASSERT_TRUE(fetch::Fetch(JobFor({server.url()}, paths)).problems.empty());
  const auto verify = [&] {
    return fetch::VerifyFiles(root_.path(), paths,
                              fetch::DataManifest::Load(root_.path()), 2);
  };
  EXPECT_TRUE(verify().empty());
  fs::remove(root_.path() / "a/1.jpg");
  root_.Write("a/2.jpg", NoisyPicture(7));
  root_.Write("a/3.jpg", NoisyPicture(3).substr(0, 900));
  const auto problems = verify();
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(problems[0].path, "a/1.jpg");
  EXPECT_EQ(problems[0].what, "missing");
  EXPECT_EQ(problems[1].path, "a/2.jpg");
  TM_EXPECT_HAS(problems[1].what, "the manifest has");
  EXPECT_EQ(problems[2].path, "a/3.jpg");
  EXPECT_EQ(problems[2].what.find("the manifest"), string::npos);
  // Fetching again repairs what has another size or is gone.
  fs::remove(root_.path() / "a/2.jpg");
  ASSERT_TRUE(fetch::Fetch(JobFor({server.url()}, paths)).problems.empty());
  EXPECT_TRUE(verify().empty());
}

TEST_F(FetchRoot, ACopyIsLinkedAndChecked) {
  const TempFolder copy;
  copy.Write("images/a/1.jpg", picture_);
  copy.Write("a/2.jpg", "not a picture");
  auto job = JobFor({}, {"a/1.jpg", "a/2.jpg", "a/3.jpg"});
  job.from = copy.path();
  const auto report = fetch::Fetch(job);
  EXPECT_EQ(report.got, 1);
  ExpectWhole();
  EXPECT_TRUE(
      fs::equivalent(root_.path() / "a/1.jpg", copy.path() / "images/a/1.jpg"));
  ASSERT_EQ(report.problems.size(), 2u);
  TM_EXPECT_HAS(report.problems[0].what, "no whole picture");
  TM_EXPECT_HAS(report.problems[1].what, "not in ");
}

TEST_F(FetchRoot, ABrokenManifestIsNotOverwritten) {
  root_.Write("tailmark-manifest.json", "{\"schema\": 1}");
  EXPECT_THROW(fetch::Fetch(JobFor({"http://127.0.0.1:1/"})), DataError);
}

}  // namespace
}  // namespace tailmark
