#include "datasets/fetch/annotations.h"

#include <algorithm>
#include <map>
#include <pugixml.hpp>
#include <utility>

#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMostXmlBytes = 1 << 24;

enum class State : std::uint8_t { kNegative, kDifficult, kPositive };
const char* NameOf(State state) {
  constexpr const char* kNames[] = {"negative", "difficult", "positive"};
  return kNames[static_cast<std::size_t>(state)];
}

std::uint16_t IndexOf(const std::string& name,
                      std::vector<std::string>& classes) {
  const auto it = std::find(classes.begin(), classes.end(), name);
  const auto index = static_cast<std::uint16_t>(it - classes.begin());
  if (it == classes.end()) classes.push_back(name);
  return index;
}

bool Has(const std::vector<std::uint16_t>& sorted, std::size_t value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

State Committed(const LabelMatrix& labels, std::int64_t row, std::int64_t c) {
  if (!labels.Positive(row, c)) return State::kNegative;
  return labels.Known(row, c) ? State::kPositive : State::kDifficult;
}

/// Reads `xml` into `document`, which owns what is given back.
pugi::xml_node RootOf(pugi::xml_document& document, std::string_view xml,
                      const std::string& name) {
  const auto result = document.load_buffer(xml.data(), xml.size());
  if (!result) {
    throw DataError(
        StrCat(name, ": byte ", result.offset, ": ", result.description()));
  }
  const pugi::xml_node annotation = document.child("annotation");
  if (!annotation) {
    throw DataError(StrCat(name, ": no <annotation>; expected VOC's"));
  }
  return annotation;
}

}  // namespace

LabelRule LabelRuleOf(std::string_view dataset) {
  if (dataset == "coco-fewshot") {
    return {.coco = kCocoObjects, .supports = false};
  }
  return {.coco = kCocoBoxes, .clear = dataset == "voc07-fewshot"};
}

void DropDifficult(Annotations& annotations) {
  for (AnnotatedImage& image : annotations.images) {
    std::erase_if(image.classes, [&image](std::uint16_t c) {
      return Has(image.difficult, c);
    });
    image.difficult.clear();
  }
}

void RequireVocAnnotation(std::string_view xml, const std::string& name) {
  pugi::xml_document document;
  (void)RootOf(document, xml, name);
}

void ReadVocAnnotation(const fs::path& file, Annotations& into) {
  const std::string text = ReadFile(file, kMostXmlBytes);
  pugi::xml_document document;
  const pugi::xml_node annotation = RootOf(document, text, file.string());
  std::map<std::uint16_t, bool> all_difficult;
  for (const pugi::xml_node object : annotation.children("object")) {
    const std::string name = object.child_value("name");
    if (name.empty()) {
      throw DataError(StrCat(file.string(), ": byte ", object.offset_debug(),
                             ": an object without a name"));
    }
    const bool difficult = object.child("difficult").text().as_int() != 0;
    const auto [it, added] =
        all_difficult.emplace(IndexOf(name, into.classes), difficult);
    if (!added) it->second = it->second && difficult;
  }
  AnnotatedImage image{.name = file.stem().string()};
  for (const auto& [c, difficult] : all_difficult) {
    image.classes.push_back(c);
    if (difficult) image.difficult.push_back(c);
  }
  into.images.push_back(std::move(image));
}

lists::LabelledImages ToLabelledImages(const Annotations& annotations,
                                       const std::string& folder) {
  lists::LabelledImages out;
  const std::size_t classes = annotations.classes.size();
  out.labels = {.rows = static_cast<std::int64_t>(annotations.images.size()),
                .classes = static_cast<std::int64_t>(classes)};
  out.labels.positive.resize(annotations.images.size() * classes);
  for (std::size_t row = 0; row < annotations.images.size(); ++row) {
    const AnnotatedImage& image = annotations.images[row];
    out.paths.push_back(StrCat(folder, image.name, ".jpg"));
    for (const std::uint16_t c : image.classes) {
      out.labels.positive[row * classes + c] = 1;
    }
  }
  return out;
}

LabelCheck CheckLabels(const Split& split, const LabelMatrix& labels,
                       std::span<const ClassInfo> classes,
                       const Annotations& annotations) {
  TM_CHECK(labels.rows == split.size());
  constexpr std::size_t kNever = 0x10000;
  std::vector<std::size_t> index(classes.size(), kNever);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const auto it = std::find(annotations.classes.begin(),
                              annotations.classes.end(), classes[c].name);
    if (it == annotations.classes.end()) continue;
    index[c] = static_cast<std::size_t>(it - annotations.classes.begin());
  }
  std::unordered_map<std::string_view, const AnnotatedImage*> by_name;
  for (const AnnotatedImage& each : annotations.images) {
    by_name.emplace(each.name, &each);
  }
  LabelCheck check;
  for (std::int64_t row = 0; row < split.size(); ++row) {
    const std::string& path = split.ids[static_cast<std::size_t>(row)];
    const std::string name = fs::path(path).stem().string();
    const auto it = by_name.find(name);
    if (it == by_name.end()) {
      ++check.unknown;
      continue;
    }
    ++check.images;
    const AnnotatedImage& image = *it->second;
    for (std::size_t c = 0; c < classes.size(); ++c) {
      const auto column = static_cast<std::int64_t>(c);
      if (!labels.Positive(row, column) && !labels.Known(row, column)) continue;
      State annotated = State::kNegative;
      if (Has(image.classes, index[c])) annotated = State::kPositive;
      if (!labels.known.empty() && Has(image.difficult, index[c])) {
        annotated = State::kDifficult;
      }
      const State committed = Committed(labels, row, column);
      ++check.labels;
      if (committed == annotated) continue;
      check.differences.push_back({.path = path,
                                   .klass = classes[c].name,
                                   .committed = NameOf(committed),
                                   .annotated = NameOf(annotated)});
    }
  }
  return check;
}

}  // namespace tailmark::fetch
