// `data fetch` against servers that cut off, stall, lie, redirect, refuse and
// serve something else.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "datasets/fetch/fetch.h"
#include "datasets/fetch/tar_stream.h"
#include "datasets/images/jpeg.h"
#include "harness/base/clock.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/datasets/fault_server.h"
#include "tests/datasets/folder_sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using std::string;

/// Noise, so that it is some kilobytes and no two are equal.
string Picture(int seed) {
  Image image{.width = 48, .height = 40};
  std::uint32_t state = static_cast<std::uint32_t>(seed) * 2654435761U + 1;
  for (int i = 0; i < image.width * image.height * 3; ++i) {
    state = state * 1664525U + 1013904223U;
    image.rgb.push_back(static_cast<std::uint8_t>(state >> 24));
  }
  return EncodeJpeg(image);
}

class FetchImages : public ::testing::Test {
 protected:
  fetch::FetchJob JobFor(const std::vector<string>& urls,
                         std::vector<string> paths = {"a/1.jpg"}) const {
    fetch::FetchJob job{.dataset = "test", .paths = std::move(paths)};
    job.mirrors.images = urls;
    job.mirrors.bytes_per_image = 5000;
    job.root = root_.path();
    job.limits = {.connect_seconds = 2, .stall_seconds = 1};
    job.retry = {.attempts = 3, .first_wait = 0.01, .longest_wait = 0.05};
    return job;
  }
  /// What became of the one image "a/1.jpg"; "" when it came.
  string Get(const FaultServer::Handler& handler) {
    FaultServer server(handler);
    const auto report = fetch::Fetch(JobFor({server.url()}));
    requests_ = server.RequestsOf("/a/1.jpg");
    return report.problems.empty() ? "" : report.problems[0].what;
  }
  void ExpectWhole() const {
    EXPECT_EQ(ReadFile(root_.path() / "a/1.jpg"), picture_);
    EXPECT_FALSE(fs::exists(root_.path() / "a/1.jpg.part"));
  }
  void ExpectNothing() const {
    EXPECT_FALSE(fs::exists(root_.path() / "a/1.jpg"));
  }

  TempFolder root_;
  string picture_ = Picture(1);
  int requests_ = 0;
};

#define EXPECT_HAS(text, part) \
  EXPECT_NE((text).find(part), string::npos) << (text)

TEST_F(FetchImages, AnHonestServerGivesEveryImageEightAtATime) {
  std::vector<string> paths;
  for (int i = 0; i < 40; ++i) paths.push_back(StrCat("a/", i, ".jpg"));
  FaultServer server([](const HttpRequest& request, HttpReply& reply) {
    fetch::SleepUnlessInterrupted(0.03);
    reply.Serve(request, Picture(std::atoi(request.path.c_str() + 3)));
  });
  const auto job = JobFor({server.url()}, paths);
  const auto report = fetch::Fetch(job);
  EXPECT_TRUE(report.problems.empty());
  EXPECT_EQ(report.got, 40);
  EXPECT_GE(server.most_at_once(), 4);
  EXPECT_LE(server.most_at_once(), 9);  // One may be closing.
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(ReadFile(root_.path() / paths[static_cast<std::size_t>(i)]),
              Picture(i));
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
  EXPECT_HAS(why, "another range than asked for (3 attempts)");
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
  EXPECT_HAS(why, "no whole picture");
  EXPECT_EQ(requests_, 3);
  ExpectNothing();
}

TEST_F(FetchImages, ATooLargeLengthIsNoticed) {
  const string why = Get([&](const HttpRequest& request, HttpReply& reply) {
    if (request.ranged) return reply.Send(416, "Content-Length: 0\r\n", "");
    reply.Send(200, StrCat("Content-Length: ", picture_.size() + 100, "\r\n"),
               picture_);
  });
  EXPECT_HAS(why, "(3 attempts)");
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
  EXPECT_HAS(report.problems[0].what, "more than 100000 bytes");
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
  EXPECT_HAS(Get([](const HttpRequest&, HttpReply& reply) {
               reply.Send(302, "Location: /a/1.jpg\r\nContent-Length: 0\r\n",
                          "");
             }),
             "redirect");
  EXPECT_LE(requests_, 7);
  EXPECT_HAS(Get([](const HttpRequest&, HttpReply& reply) {
               reply.Send(302, "Location: file:///etc/passwd\r\n", "");
             }),
             "nsupported protocol");
}

TEST_F(FetchImages, NotFoundIsNotAskedForAgain) {
  EXPECT_HAS(Get([](const HttpRequest&, HttpReply& reply) {
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

TEST_F(FetchImages, AnErrorPageIsNoPicture) {
  EXPECT_HAS(Get([](const HttpRequest& request, HttpReply& reply) {
               reply.Serve(request, "<html>Please log in</html>");
             }),
             "no whole picture");
  ExpectNothing();
}

TEST_F(FetchImages, TheNextMirrorIsAskedWhenOneFails) {
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

TEST_F(FetchImages, WhatCameFirstIsWhatMustComeEverAfter) {
  const auto serve = [&](const string& bytes) {
    return Get([bytes](const HttpRequest& request, HttpReply& reply) {
      reply.Serve(request, bytes);
    });
  };
  EXPECT_EQ(serve(picture_), "");
  fs::remove(root_.path() / "a/1.jpg");
  EXPECT_HAS(serve(Picture(2)), "the manifest has");
  ExpectNothing();
  EXPECT_EQ(serve(picture_), "");
}

TEST_F(FetchImages, NoRoomIsSaidBeforeAnythingIsRead) {
  FaultServer server([](const HttpRequest&, HttpReply&) {});
  auto job = JobFor({server.url()});
  job.mirrors.bytes_per_image = std::int64_t{1} << 60;
  EXPECT_THROW(fetch::Fetch(job), StoreError);
  EXPECT_EQ(server.requests(), 0);
}

// ---- Verify and --from

TEST_F(FetchImages, VerifyNamesWhatIsMissingChangedOrBroken) {
  FaultServer server([](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, Picture(std::atoi(request.path.c_str() + 3)));
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
  root_.Write("a/2.jpg", Picture(7));
  root_.Write("a/3.jpg", Picture(3).substr(0, 900));
  const auto problems = verify();
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(problems[0].path, "a/1.jpg");
  EXPECT_EQ(problems[0].what, "missing");
  EXPECT_EQ(problems[1].path, "a/2.jpg");
  EXPECT_HAS(problems[1].what, "the manifest has");
  EXPECT_EQ(problems[2].path, "a/3.jpg");
  EXPECT_EQ(problems[2].what.find("the manifest"), string::npos);
  // Fetching again repairs what has another size or is gone.
  fs::remove(root_.path() / "a/2.jpg");
  ASSERT_TRUE(fetch::Fetch(JobFor({server.url()}, paths)).problems.empty());
  EXPECT_TRUE(verify().empty());
}

TEST_F(FetchImages, ACopyIsLinkedAndChecked) {
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
  EXPECT_HAS(report.problems[0].what, "no whole picture");
  EXPECT_HAS(report.problems[1].what, "not in ");
}

TEST_F(FetchImages, ABrokenManifestIsNotOverwritten) {
  root_.Write("tailmark-manifest.json", "{\"schema\": 1}");
  EXPECT_THROW(fetch::Fetch(JobFor({"http://127.0.0.1:1/"})), DataError);
}

// ---- Archives

string TarEntry(const string& name, const string& body, char type = '0') {
  string header(512, '\0');
  name.copy(header.data(), 100);
  std::snprintf(header.data() + 100, 8, "%07o", 0644);
  std::snprintf(header.data() + 124, 12, "%011zo", body.size());
  header[156] = type;
  std::memcpy(header.data() + 257, "ustar\00000", 8);
  std::memset(header.data() + 148, ' ', 8);
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(header.data() + 148, 8, "%06o", sum);
  return header + body + string((512 - body.size() % 512) % 512, '\0');
}

string Archive() {
  string tar = TarEntry("VOCdevkit/VOC2012/", "", '5');
  for (int i = 0; i < 6; ++i) {
    tar += TarEntry(StrCat("VOCdevkit/VOC2012/JPEGImages/", i, ".jpg"),
                    Picture(i));
    tar += TarEntry(StrCat("VOCdevkit/VOC2012/Annotations/", i, ".xml"),
                    string(700, 'x'));
  }
  return tar + string(1024, '\0');
}

class FetchArchive : public FetchImages {
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
    EXPECT_EQ(ReadFile(root_.path() / paths_[1]), Picture(3));
    EXPECT_FALSE(fs::exists(root_.path() / "x.tar"));
  }
  std::vector<string> paths_;
  string tar_ = Archive();
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
  EXPECT_HAS(report.problems[0].what, "no header of a tar archive");
}

TEST_F(FetchArchive, AnImageThatIsNotInTheArchiveIsNamed) {
  paths_.push_back("VOCdevkit/VOC2012/JPEGImages/9.jpg");
  FaultServer server([&](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, tar_);
  });
  const auto report = Run(server);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].path, paths_.back());
  EXPECT_HAS(report.problems[0].what, "not in the archive");
}

TEST(TarStream, GivesTheSameInPiecesOfAnySize) {
  const string tar = Archive();
  for (const std::size_t piece : {1UL, 7UL, 511UL, 512UL, 513UL, 100000UL}) {
    std::vector<string> names;
    fetch::TarStream stream(
        "x.tar",
        {.wanted = [](const string& name,
                      std::int64_t) { return name.ends_with(".jpg"); },
         .file =
             [&](const string& name, string bytes) {
               names.push_back(name + Sha256Hex(bytes));
             }},
        1 << 20);
    for (std::size_t at = 0; at < tar.size(); at += piece) {
      stream.Feed(std::string_view(tar).substr(at, piece));
    }
    EXPECT_TRUE(stream.finished());
    ASSERT_EQ(names.size(), 6u);
    EXPECT_EQ(names[4],
              "VOCdevkit/VOC2012/JPEGImages/4.jpg" + Sha256Hex(Picture(4)));
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
