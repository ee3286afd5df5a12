// Official annotation files (COCO's JSON, VOC's XML), mirrors and the manifest
// of fetched pictures: any bytes are one, or an error of ours.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "datasets/fetch/annotations.h"
#include "datasets/fetch/data_manifest.h"
#include "datasets/fetch/mirrors.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "tests/fuzz/json_changes.h"
#include "tests/fuzz/scratch_file.h"

namespace {

using namespace tailmark;  // NOLINT(google-build-using-namespace)

template <class Use>
void Try(Use use) {
  try {
    use();
  } catch (const Error&) {
  }
}

void Check(const fetch::Annotations& annotations) {
  for (const fetch::AnnotatedImage& image : annotations.images) {
    if (!std::is_sorted(image.classes.begin(), image.classes.end())) {
      std::abort();
    }
    for (const std::uint16_t c : image.classes) {
      if (c >= annotations.classes.size()) std::abort();
    }
  }
  (void)fetch::ToLabelledImages(annotations, "f/");
}

void ReadCoco(const std::filesystem::path& file, std::string_view bytes) {
  WriteScratch(file, bytes);
  for (const auto& rule : {fetch::kCocoBoxes, fetch::kCocoObjects}) {
    for (const std::size_t piece : {std::size_t{9}, bytes.size() + 1}) {
      Try([&] { Check(fetch::ReadCocoAnnotations(file, rule, piece)); });
    }
  }
  Try([&] { (void)fetch::ReadCocoCaptions(file, 9); });
  Try([&] { (void)fetch::ReadCocoCaptions(file); });
}

void ReadVoc(const std::filesystem::path& file, std::string_view bytes) {
  WriteScratch(file, bytes);
  Try([&] {
    fetch::Annotations annotations;
    fetch::ReadVocAnnotation(file, annotations);
    Check(annotations);
  });
}

void ReadMirrors(const std::filesystem::path& file, std::string_view bytes) {
  WriteScratch(file, bytes);
  Try([&] {
    const auto mirrors = fetch::ReadMirrors(file, "set");
    (void)fetch::WithBases(mirrors, {"http://a", "http://b/"});
  });
}

void ReadManifest(const std::filesystem::path& folder, std::string_view bytes) {
  WriteScratch(folder / "tailmark-manifest.json", bytes);
  Try([&] { (void)fetch::DataManifest::Load(folder); });
}

const Json& GoodCoco() {
  static const Json kGood = {
      {"images",
       {{{"id", 7}, {"file_name", "a/b.jpg"}},
        {{"id", 8}, {"file_name", "c.jpg"}}}},
      {"categories",
       {{{"id", 3}, {"name", "car"}}, {{"id", 90}, {"name", "cat"}}}},
      {"annotations",
       {{{"image_id", 7},
         {"category_id", 90},
         {"bbox", {0, 0, 5.5, 5}},
         {"area", 25},
         {"iscrowd", 0},
         {"caption", "a  cat"}},
        {{"image_id", 8},
         {"category_id", 3},
         {"bbox", {0, 0, 0.5, 5}},
         {"area", 0.0},
         {"iscrowd", 1},
         {"caption", " "}}}}};
  return kGood;
}

const Json& GoodMirrors() {
  static const Json kGood = {{"schema", "tailmark-mirrors/1"},
                             {"sets",
                              {{"set",
                                {{"images", {"http://h/"}},
                                 {"bytes_per_image", 5},
                                 {"archives",
                                  {{{"prefix", "p/"},
                                    {"bytes", 9},
                                    {"urls", {"http://h/x.tar"}}}}}}}}}};
  return kGood;
}

const Json& GoodManifest() {
  static const Json kGood = {
      {"schema", "tailmark-data/1"},
      {"files",
       {{"a.jpg",
         {{"size", 5}, {"sha256", "00"}, {"width", 1}, {"height", 2}}}}}};
  return kGood;
}

constexpr std::string_view kVoc =
    "<annotation><object><name>cat</name><difficult>1</difficult></object>";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const auto kFolder = ScratchFor("annotations_fuzz");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadCoco(kFolder / "c.json", bytes);
  ReadCoco(kFolder / "c.json", Changed(GoodCoco(), bytes).dump());
  ReadVoc(kFolder / "v.xml", bytes);
  ReadVoc(kFolder / "v.xml",
          std::string(kVoc) + std::string(bytes) + "</annotation>");
  ReadMirrors(kFolder / "m.json", Changed(GoodMirrors(), bytes).dump());
  ReadManifest(kFolder, bytes);
  ReadManifest(kFolder, Changed(GoodManifest(), bytes).dump());
  return 0;
}
