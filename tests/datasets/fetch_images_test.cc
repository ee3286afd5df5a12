// Images one by one, from servers that cut off, stall, lie, redirect and
// refuse.
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

using FetchImages = FetchTest;

TEST_F(FetchImages, AnHonestServerGivesEveryImageEightAtATime) {
  std::vector<string> paths;
  for (int i = 0; i < 40; ++i) paths.push_back(StrCat("a/", i, ".jpg"));
  std::atomic<int> waiting = 0, most = 0;
  FaultServer server([&](const HttpRequest& request, HttpReply& reply) {
    const int now = ++waiting;
    int seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    fetch::SleepUnlessInterrupted(0.03);
    // Whoever has his answer may ask for the next.
    --waiting;
    reply.Serve(request, NoisyPicture(std::atoi(request.path.c_str() + 3)));
  });
  const auto job = JobFor({server.url()}, paths);
  const auto report = fetch::Fetch(job);
  EXPECT_TRUE(report.problems.empty());
  EXPECT_EQ(report.got, 40);
  EXPECT_GE(most, 4);
  EXPECT_LE(most, 8);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(ReadFile(root_.path() / paths[static_cast<std::size_t>(i)]),
              NoisyPicture(i));
  }
  // Nothing is asked for twice.
  const auto again = fetch::Fetch(job);
  EXPECT_EQ(again.there, 40);
  EXPECT_EQ(server.requests(), 40);
}

TEST_F(FetchImages, ACutOffFileIsGoneOnWithWhereItEnded) {
  std::int64_t asked = -1;
  EXPECT_EQ(Get([&](const HttpRequest& request, HttpReply& reply) {
              if (request.count == 1) {
                reply.Send(200,
                           StrCat("Content-Length: ", picture_.size(), "\r\n"),
                           picture_.substr(0, 1000));
              } else {
                asked = request.from;
                reply.Serve(request, picture_);
              }
            }),
            "");
  EXPECT_EQ(asked, 1000);
  ExpectWhole();
}

TEST_F(FetchImages, AServerWithoutRangesSendsAllAgain) {
  EXPECT_EQ(
      Get([&](const HttpRequest& request, HttpReply& reply) {
        const auto length = StrCat("Content-Length: ", picture_.size(), "\r\n");
        reply.Send(200, length,
                   request.count == 1 ? picture_.substr(0, 1000) : picture_);
      }),
      "");
  ExpectWhole();
}

TEST_F(FetchImages, AnInterruptedFetchGoesOnInTheNextProcess) {
  root_.Write("a/1.jpg.part", picture_.substr(0, 700));
  std::int64_t asked = -1;
  EXPECT_EQ(Get([&](const HttpRequest& request, HttpReply& reply) {
              asked = request.from;
              reply.Serve(request, picture_);
            }),
            "");
  EXPECT_EQ(asked, 700);
  ExpectWhole();
}

TEST_F(FetchImages, APartOfSomethingElseIsThrownAway) {
  root_.Write("a/1.jpg.part", string(700, 'x'));
  EXPECT_EQ(Get([&](const HttpRequest& request, HttpReply& reply) {
              reply.Serve(request, picture_);
            }),
            "");
  ExpectWhole();
  fs::remove(root_.path() / "a/1.jpg");
  root_.Write("a/1.jpg.part", string(picture_.size() + 5, 'x'));  // 416
  EXPECT_EQ(Get([&](const HttpRequest& request, HttpReply& reply) {
              reply.Serve(request, picture_);
            }),
            "");
  ExpectWhole();
}

TEST_F(FetchImages, AnotherRangeThanAskedForIsNotTaken) {
  root_.Write("a/1.jpg.part", picture_.substr(0, 700));
  const string why = Get([&](const HttpRequest&, HttpReply& reply) {
    reply.Send(206, "Content-Range: bytes 5-9/99\r\nContent-Length: 5\r\n",
               "wrong");
  });
  TM_EXPECT_HAS(why, "another range than asked for (3 attempts)");
  ExpectNothing();
}

TEST_F(FetchImages, AStalledServerIsGivenUpAfterItsLimit) {
  const Stopwatch watch;
  EXPECT_EQ(Get([&](const HttpRequest& request, HttpReply& reply) {
              if (request.count > 1) return reply.Serve(request, picture_);
              reply.Send(200,
                         StrCat("Content-Length: ", picture_.size(), "\r\n"),
                         picture_.substr(0, 100));
              reply.Stall();
            }),
            "");
  ExpectWhole();
  EXPECT_LT(watch.Seconds(), 20);
}

TEST_F(FetchImages, ATooSmallLengthIsNoticed) {
  const string why = Get([&](const HttpRequest&, HttpReply& reply) {
    reply.Send(200, "Content-Length: 900\r\n", picture_);
  });
  TM_EXPECT_HAS(why, "no whole picture");
  EXPECT_EQ(requests_, 3);
  ExpectNothing();
}

TEST_F(FetchImages, ATooLargeLengthIsNoticed) {
  const string why = Get([&](const HttpRequest& request, HttpReply& reply) {
    if (request.ranged) return reply.Send(416, "Content-Length: 0\r\n", "");
    reply.Send(200, StrCat("Content-Length: ", picture_.size() + 100, "\r\n"),
               picture_);
  });
  TM_EXPECT_HAS(why, "(3 attempts)");
  ExpectNothing();
}

TEST_F(FetchImages, ALyingServerCannotFillTheDisk) {
  FaultServer server([](const HttpRequest&, HttpReply& reply) {
    reply.Send(200, "", string(300000, 'x'));
  });
  auto job = JobFor({server.url()});
  job.limits.most_bytes = 100000;
  const auto report = fetch::Fetch(job);
  ASSERT_EQ(report.problems.size(), 1u);
  TM_EXPECT_HAS(report.problems[0].what, "more than 100000 bytes");
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(FetchImages, RedirectsAreFollowedButNotForEver) {
  EXPECT_EQ(Get([&](const HttpRequest& request, HttpReply& reply) {
              if (request.path == "/a/1.jpg") {
                return reply.Send(
                    302, "Location: /b/2.jpg\r\nContent-Length: 4\r\n", "gone");
              }
              reply.Serve(request, picture_);
            }),
            "");
  ExpectWhole();
  fs::remove(root_.path() / "a/1.jpg");
  TM_EXPECT_HAS(Get([](const HttpRequest&, HttpReply& reply) {
                  reply.Send(302, "Location: /a/1.jpg\r\nContent-Length: 0\r\n",
                             "");
                }),
                "redirect");
  EXPECT_LE(requests_, 7);
  TM_EXPECT_HAS(Get([](const HttpRequest&, HttpReply& reply) {
                  reply.Send(302, "Location: file:///etc/passwd\r\n", "");
                }),
                "nsupported protocol");
}

TEST_F(FetchImages, NotFoundIsNotAskedForAgain) {
  TM_EXPECT_HAS(Get([](const HttpRequest&, HttpReply& reply) {
                  reply.Send(404, "Content-Length: 3\r\n", "no!");
                }),
                "HTTP 404");
  EXPECT_EQ(requests_, 1);
  ExpectNothing();
}

TEST_F(FetchImages, ABusyServerIsAskedAgainLater) {
  EXPECT_EQ(Get([&](const HttpRequest& request, HttpReply& reply) {
              if (request.count < 3) {
                return reply.Send(
                    503, "Retry-After: 3600\r\nContent-Length: 0\r\n", "");
              }
              reply.Serve(request, picture_);
            }),
            "");
  EXPECT_EQ(requests_, 3);
  ExpectWhole();
}

TEST_F(FetchImages, AServerThatSaysNothingSensibleIsAnError) {
  EXPECT_NE(Get([](const HttpRequest&, HttpReply& reply) {
              reply.Raw("SSH-2.0-OpenSSH\r\n");
            }),
            "");
  EXPECT_NE(Get([](const HttpRequest&, HttpReply&) {}), "");
  EXPECT_NE(Get([](const HttpRequest&, HttpReply& reply) {
              reply.Send(200, "Content-Length: 0\r\n", "");
            }),
            "");
  ExpectNothing();
}

}  // namespace
}  // namespace tailmark
