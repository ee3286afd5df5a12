#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/fetch/fetch.h"
#include "harness/base/files.h"
#include "tests/datasets/fault_server.h"
#include "tests/datasets/folder_sample.h"

namespace tailmark {

/// A small JPEG of noise, no two of them equal; as it is, of some kilobytes.
std::string NoisyPicture(int seed, int width = 48, int height = 40);

/// One file of a tar archive, header and padding.
std::string TarEntry(const std::string& name, const std::string& body,
                     char type = '0');
/// Six pictures of `folder`JPEGImages/ with an annotation each; number `first`
/// and on.
std::string PictureArchive(const std::string& folder = "VOCdevkit/VOC2012/",
                           int first = 0);

/// Gets into an empty root, without patience.
class FetchTest : public ::testing::Test {
 protected:
  fetch::FetchJob JobFor(const std::vector<std::string>& urls,
                         std::vector<std::string> paths = {"a/1.jpg"}) const {
    fetch::FetchJob job{.dataset = "test", .paths = std::move(paths)};
    job.mirrors.images = urls;
    job.mirrors.bytes_per_image = 5000;
    job.root = root_.path();
    job.limits = {.connect_seconds = 2, .stall_seconds = 1};
    job.retry = {.attempts = 3, .first_wait = 0.01, .longest_wait = 0.05};
    return job;
  }
  /// What became of the one image "a/1.jpg"; "" when it came.
  std::string Get(const FaultServer::Handler& handler) {
    FaultServer server(handler);
    const auto report = fetch::Fetch(JobFor({server.url()}));
    requests_ = server.RequestsOf("/a/1.jpg");
    return report.problems.empty() ? "" : report.problems[0].what;
  }
  void ExpectWhole() const {
    EXPECT_EQ(ReadFile(root_.path() / "a/1.jpg"), picture_);
    EXPECT_FALSE(std::filesystem::exists(root_.path() / "a/1.jpg.part"));
  }
  void ExpectNothing() const {
    EXPECT_FALSE(std::filesystem::exists(root_.path() / "a/1.jpg"));
  }

  TempFolder root_;
  std::string picture_ = NoisyPicture(1);
  int requests_ = 0;
};

#define TM_EXPECT_HAS(text, part) \
  EXPECT_NE((text).find(part), std::string::npos) << (text)

}  // namespace tailmark
