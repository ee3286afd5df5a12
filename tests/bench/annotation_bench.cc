// How fast an official annotation file is read: one of 200 MB is made, of the
// proportions of instances_train2017.json.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "datasets/fetch/annotations.h"
#include "harness/base/error.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

constexpr std::int64_t kBytes = 200'000'000;
constexpr int kImages = 50000;

fs::path MakeFile() {
  const fs::path path = fs::temp_directory_path() /
                        StrCat("tailmark-annotations-", getpid(), ".json");
  std::ofstream out(path);
  out << R"({"info":{},"licenses":[],"images":[)";
  for (int i = 0; i < kImages; ++i) {
    out << (i == 0 ? "" : ",") << R"({"license":3,"file_name":"0000)"
        << 10000000 + i << R"(.jpg","height":480,"width":640,"id":)"
        << 10000000 + i << "}";
  }
  out << R"(],"annotations":[)";
  std::uint32_t state = 1;
  const auto draw = [&](std::uint32_t below) {
    state = state * 1664525U + 1013904223U;
    return (state >> 8) % below;
  };
  for (int id = 0; out.tellp() < kBytes; ++id) {
    out << (id == 0 ? "" : ",") << R"({"segmentation":[[)";
    for (std::uint32_t n = 20 + draw(60); n > 0; --n) {
      out << draw(640) << "." << draw(100) << (n > 1 ? "," : "");
    }
    out << "]],\"area\":" << draw(9000) + 1 << "." << draw(100)
        << ",\"iscrowd\":0,\"image_id\":" << 10000000 + draw(kImages)
        << ",\"bbox\":[" << draw(600) << "." << draw(100) << "," << draw(400)
        << "," << draw(90) + 1 << ".5," << draw(90) + 1
        << "],\"category_id\":" << draw(80) + 1 << ",\"id\":" << id << "}";
  }
  out << R"(],"categories":[)";
  for (int c = 1; c <= 80; ++c) {
    out << (c == 1 ? "" : ",") << R"({"supercategory":"x","id":)" << c
        << R"(,"name":"class )" << c << "\"}";
  }
  out << "]}";
  return path;
}

void ReadAnnotations(benchmark::State& state) {
  const fs::path path = MakeFile();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        fetch::ReadCocoAnnotations(path, fetch::kCocoBoxes));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(fs::file_size(path)));
  fs::remove(path);
}
BENCHMARK(ReadAnnotations)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tailmark
