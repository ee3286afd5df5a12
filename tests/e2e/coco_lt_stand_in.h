#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/datasets/fault_server.h"
#include "tests/e2e/program.h"

namespace tailmark {

/// COCO-LT without COCO: a server on the loopback has a made JPEG for each of
/// the 6,909 ids, and `tailmark` gets, runs and reports them as it would the
/// real ones. Of each hundred images it cuts one off, refuses one with 503 and
/// serves something else for one, the first time they are asked for.
class CocoLtStandIn {
 public:
  static constexpr std::int64_t kImages = 6909;
  static constexpr std::int64_t kTestImages = 5000;

  /// Everything lies below `folder`; images are `width` pixels wide and 3/4 of
  /// that high.
  CocoLtStandIn(const std::filesystem::path& folder, int width);

  /// `tailmark data fetch coco-lt` from the server.
  Said Fetch() const;

  struct Result {
    Said said;
    double seconds = 0;   ///< From start to end of `tailmark run`.
    Json run;             ///< The one of `--json`; null when it did not answer.
    bool cached = false;  ///< Features of the test images were in the cache.
    std::string scores;   ///< The bytes of the score matrix.
  };
  /// `tailmark run zero-shot` on all test images, one method.
  Result Run(const std::string& method,
             const std::vector<std::string>& more = {}) const;

  /// Puts another picture in the place of test image `row`.
  void ChangeTestImage(std::size_t row) const;
  int requests() const { return server_->requests(); }
  Program& tailmark() { return tailmark_; }

 private:
  Program tailmark_;
  std::unique_ptr<FaultServer> server_;
};

}  // namespace tailmark
