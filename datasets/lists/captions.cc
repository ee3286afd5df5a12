#include "datasets/lists/captions.h"

#include <algorithm>

#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark::lists {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMostCaptionBytes = std::int64_t{1} << 30;

std::string WithArticle(const std::string& name) {
  const bool vowel =
      std::string_view("aeiou").find(name.front()) != std::string_view::npos;
  return (vowel ? "an " : "a ") + name;
}

std::string Joined(const std::vector<std::string>& things) {
  std::string text;
  for (std::size_t i = 0; i < things.size(); ++i) {
    if (i > 0) text += i + 1 == things.size() ? " and " : ", ";
    text += things[i];
  }
  return text;
}

}  // namespace

std::vector<std::string> CaptionsOfLabels(
    const LabelMatrix& labels, const std::vector<ClassInfo>& classes) {
  std::vector<std::string> captions;
  for (std::int64_t row = 0; row < labels.rows; ++row) {
    std::vector<std::string> things;
    for (std::int64_t c = 0; c < labels.classes; ++c) {
      if (!labels.Positive(row, c)) continue;
      things.push_back(WithArticle(classes[static_cast<std::size_t>(c)].name));
    }
    captions.push_back(things.empty() ? "a photo"
                                      : "a photo of " + Joined(things));
  }
  return captions;
}

std::vector<std::string> ReadCaptions(const fs::path& file, std::int64_t rows) {
  const std::string text = ReadFile(file, kMostCaptionBytes);
  std::vector<std::string> captions;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    captions.push_back(text.substr(at, end - at));
    if (captions.back().empty()) {
      throw DataError(StrCat(file.string(), ":", captions.size(),
                             ": an empty line, expected a caption"));
    }
    at = end + 1;
  }
  if (static_cast<std::int64_t>(captions.size()) != rows) {
    throw DataError(StrCat(file.string(), ": ", captions.size(),
                           " lines, expected ", rows,
                           ", one for each training image"));
  }
  return captions;
}

void AddCaptions(Listed& listed, const std::string& source,
                 const fs::path& root) {
  if (source == "labels") {
    listed.captions = CaptionsOfLabels(listed.train_labels, listed.classes);
  } else if (source == "file") {
    const fs::path file = root / kCaptionsFile;
    if (!fs::exists(file)) {
      throw DataError(StrCat(file.string(),
                             ": not there; tailmark data "
                             "captions ",
                             listed.name, " --root ", root.string(),
                             " writes it"));
    }
    listed.captions = ReadCaptions(file, listed.train.size());
  }
}

}  // namespace tailmark::lists
