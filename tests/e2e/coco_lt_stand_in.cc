#include "tests/e2e/coco_lt_stand_in.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "datasets/images/jpeg.h"
#include "datasets/lists/list_files.h"
#include "harness/base/clock.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/seeds.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

// A sky of two colours with boxes before it, all of them by the image's number.
std::string MadeJpeg(std::uint64_t number, int width) {
  Image image{.width = width, .height = width * 3 / 4};
  ChanceStream chance(number, 1, 0);
  const auto below = [&](int most) {
    return static_cast<int>(chance.Below(static_cast<std::uint32_t>(most)));
  };
  std::array<int, 3> top, bottom;
  for (int& colour : top) colour = below(256);
  for (int& colour : bottom) colour = below(256);
  const int left = below(width / 2);
  const int high = below(image.height / 2);
  const int side = width / 8 + below(width / 4);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool box =
          x >= left && x < left + side && y >= high && y < high + side;
      for (std::size_t c = 0; c < 3; ++c) {
        const int sky = top[c] + (bottom[c] - top[c]) * y / image.height;
        image.rgb.push_back(
            static_cast<std::uint8_t>(box ? 255 - sky : (sky + x % 32) % 256));
      }
    }
  }
  return EncodeJpeg(image);
}

// As the recipe zero-shot, but one image set and two of its methods.
constexpr const char* kRecipe = R"({
  "schema": "tailmark-campaign/1",
  "campaign": "stand-in",
  "datasets": ["coco-lt"],
  "methods": [
    {"use": "zero_shot_clip", "name": "zero_shot_clip-hpdval", "preset": "hpdval"},
    {"use": "zero_shot_clip", "name": "plain",
     "options": {"templates": "plain", "score": "logit"}}
  ],
  "weights": "nano-clip",
  "seeds": [0],
  "limits": {"wall": "4h", "rss": "16GiB", "threads": 2}
})";

// "/val2017/000000397133.jpg" -> 397133; 0: no such path.
std::uint64_t NumberOf(const std::string& path) {
  std::uint64_t number = 0;
  const auto slash = path.rfind('/');
  std::from_chars(path.data() + slash + 1, path.data() + path.size(), number);
  return number;
}

void ServeBadly(const HttpRequest& request, HttpReply& reply, int width) {
  const std::uint64_t number = NumberOf(request.path);
  const std::string jpeg = MadeJpeg(number, width);
  if (number == 0) return reply.Send(404, "Content-Length: 0\r\n", "");
  if (request.count == 1) {
    switch (number % 100) {
      case 1:
        return reply.Send(200, StrCat("Content-Length: ", jpeg.size(), "\r\n"),
                          std::string_view(jpeg).substr(0, jpeg.size() / 2));
      case 2:
        return reply.Send(503, "Content-Length: 0\r\nRetry-After: 1\r\n", "");
      case 3:
        return reply.Serve(request, "<html>Come back later</html>");
      default:
        break;
    }
  }
  reply.Serve(request, jpeg);
}

}  // namespace

CocoLtStandIn::CocoLtStandIn(const fs::path& folder, int width)
    : tailmark_(folder),
      server_(std::make_unique<FaultServer>(
          [width](const HttpRequest& request, HttpReply& reply) {
            ServeBadly(request, reply, width);
          })) {
  WriteFileAtomic(folder / "recipe.json", kRecipe);
  tailmark_.environment["TAILMARK_DATA"] = folder / "data";
  tailmark_.environment["TAILMARK_WEIGHTS"] = folder / "weights";
}

Said CocoLtStandIn::Fetch() const {
  return tailmark_(
      {"data", "fetch", "coco-lt", "--base", server_->url(), "--json"});
}

CocoLtStandIn::Result CocoLtStandIn::Run(
    const std::string& method, const std::vector<std::string>& more) const {
  std::vector<std::string> words = {"run", "recipe.json", "--only",
                                    "method=" + method, "--json"};
  words.insert(words.end(), more.begin(), more.end());
  Result result;
  const Stopwatch watch;
  result.said = tailmark_(words);
  result.seconds = watch.Seconds();
  if (result.said.code != 0) return result;
  result.run = result.said.json().at("runs").at(0);
  // A run made again lies beside the first.
  const fs::path first =
      tailmark_.store() / "bundles" / result.run.at("key").get<std::string>();
  const fs::path beside = first.string() + ".forced";
  const bool forced =
      std::find(more.begin(), more.end(), "--force") != more.end();
  const fs::path bundle = forced && fs::exists(beside) ? beside : first;
  const std::string events = ReadFile(bundle / "events.jsonl");
  const auto yes = events.rfind("\"cached\":true");
  const auto no = events.rfind("\"cached\":false");
  result.cached = yes != events.npos && (no == events.npos || yes > no);
  result.scores = ReadFile(bundle / "scores/test.npy");
  return result;
}

void CocoLtStandIn::ChangeTestImage(std::size_t row) const {
  const auto ids =
      lists::ReadImages(SharedFile("datasets/coco_lt/test_ids.txt"));
  const fs::path root = tailmark_.folder() / "data/coco-lt";
  WriteFileAtomic(root / ids.at(row), MadeJpeg(1, 64));
}

}  // namespace tailmark
