#include "datasets/lists/list_files.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <unordered_set>

#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark::lists {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMostListBytes = 1 << 26;

/// The lines of a list, and what errors call them.
class Lines {
 public:
  explicit Lines(const fs::path& file)
      : file_(file.string()), text_(ReadFile(file, kMostListBytes)) {}

  /// False at the end. An empty line is a line.
  bool Next(std::string_view& line) {
    if (at_ >= text_.size()) return false;
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    line = std::string_view(text_).substr(at_, end - at_);
    at_ = end + 1;
    ++number_;
    return true;
  }
  [[noreturn]] void Fail(std::string_view what) const {
    throw DataError(StrCat(file_, ":", number_, ": ", what));
  }

 private:
  std::string file_;
  std::string text_;
  std::size_t at_ = 0;
  std::int64_t number_ = 0;
};

// Cuts the first word off `line`.
std::string_view TakeWord(std::string_view& line, char separator) {
  const std::size_t end = std::min(line.find(separator), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::int64_t ToNumber(const Lines& lines, std::string_view word) {
  std::int64_t number = -1;
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number < 0) {
    lines.Fail(StrCat("'", word, "' is no whole number of at least 0"));
  }
  return number;
}

/// What the paths of a list share: "# prefix=train2017/ suffix=.jpg".
struct Affixes {
  std::string prefix;
  std::string suffix;
};

Affixes ReadAffixes(Lines& lines) {
  constexpr std::string_view kPrefix = "prefix=";
  constexpr std::string_view kSuffix = "suffix=";
  std::string_view line;
  if (!lines.Next(line)) lines.Fail("empty");
  const std::string_view sign = TakeWord(line, ' ');
  const std::string_view prefix = TakeWord(line, ' ');
  const std::string_view suffix = TakeWord(line, ' ');
  if (sign != "#" || !prefix.starts_with(kPrefix) ||
      !suffix.starts_with(kSuffix)) {
    lines.Fail("expected '# prefix=FOLDER/ suffix=.jpg'");
  }
  return {std::string(prefix.substr(kPrefix.size())),
          std::string(suffix.substr(kSuffix.size()))};
}

/// Makes paths, each once; of ids that lie in the text of `lines`.
class Paths {
 public:
  explicit Paths(Lines& lines) : affixes_(ReadAffixes(lines)) {}
  std::string Add(const Lines& lines, std::string_view id) {
    std::string path = affixes_.prefix;
    path.append(id).append(affixes_.suffix);
    if (id.empty()) lines.Fail("no image");
    if (!seen_.insert(id).second) lines.Fail(StrCat(path, " is there twice"));
    return path;
  }

 private:
  Affixes affixes_;
  std::unordered_set<std::string_view> seen_;
};

void AddRow(const Lines& lines, std::string_view indices, std::size_t classes,
            LabelMatrix& labels) {
  const std::size_t row = labels.positive.size();
  labels.positive.resize(row + classes);
  ++labels.rows;
  while (!indices.empty()) {
    const auto c =
        static_cast<std::size_t>(ToNumber(lines, TakeWord(indices, ' ')));
    if (c >= classes) {
      lines.Fail(StrCat("class ", c, ", expected less than ", classes));
    }
    if (labels.positive[row + c] != 0) {
      lines.Fail(StrCat("class ", c, " is there twice"));
    }
    labels.positive[row + c] = 1;
  }
}

}  // namespace

std::vector<PublishedClass> ReadClasses(const fs::path& file) {
  Lines lines(file);
  std::vector<PublishedClass> classes;
  std::string_view line;
  while (lines.Next(line)) {
    if (line.starts_with('#')) continue;
    const std::int64_t index = ToNumber(lines, TakeWord(line, '\t'));
    if (index != static_cast<std::int64_t>(classes.size())) {
      lines.Fail(StrCat("class ", index, ", expected ", classes.size()));
    }
    PublishedClass each;
    each.train_positives = ToNumber(lines, TakeWord(line, '\t'));
    each.test_positives = ToNumber(lines, TakeWord(line, '\t'));
    each.category = ToNumber(lines, TakeWord(line, '\t'));
    each.name = line;
    if (each.name.empty()) lines.Fail("a class without a name");
    classes.push_back(std::move(each));
  }
  if (classes.empty()) lines.Fail("no class");
  return classes;
}

LabelledImages ReadLabelledImages(const fs::path& file, std::size_t classes) {
  Lines lines(file);
  Paths paths(lines);
  LabelledImages images;
  images.labels.classes = static_cast<std::int64_t>(classes);
  std::string_view line;
  while (lines.Next(line)) {
    images.paths.push_back(paths.Add(lines, TakeWord(line, ' ')));
    AddRow(lines, line, classes, images.labels);
  }
  return images;
}

std::vector<std::string> ReadImages(const fs::path& file) {
  Lines lines(file);
  Paths paths(lines);
  std::vector<std::string> images;
  std::string_view line;
  while (lines.Next(line)) images.push_back(paths.Add(lines, line));
  return images;
}

LabelMatrix ReadLabelRows(const fs::path& file, std::size_t rows,
                          std::size_t classes) {
  Lines lines(file);
  LabelMatrix labels{.classes = static_cast<std::int64_t>(classes)};
  std::string_view line;
  while (lines.Next(line)) AddRow(lines, line, classes, labels);
  if (labels.rows != static_cast<std::int64_t>(rows)) {
    lines.Fail(StrCat(labels.rows, " lines, expected ", rows));
  }
  return labels;
}

std::vector<SupportImage> ReadSupports(const fs::path& file,
                                       std::size_t classes) {
  Lines lines(file);
  const Affixes affixes = ReadAffixes(lines);
  std::vector<SupportImage> images;
  std::string_view line;
  while (lines.Next(line)) {
    SupportImage image;
    image.shots = ToNumber(lines, TakeWord(line, ' '));
    image.episode = static_cast<int>(ToNumber(lines, TakeWord(line, ' ')));
    image.image = StrCat(affixes.prefix, TakeWord(line, ' '), affixes.suffix);
    while (!line.empty()) {
      image.classes.push_back(ToNumber(lines, TakeWord(line, ' ')));
      if (image.classes.back() >= static_cast<std::int64_t>(classes)) {
        lines.Fail(StrCat("class ", image.classes.back(),
                          ", expected less than ", classes));
      }
    }
    if (image.classes.empty()) lines.Fail("an image without a novel class");
    images.push_back(std::move(image));
  }
  return images;
}

std::vector<std::int64_t> ReadNumbers(const fs::path& file, std::size_t limit) {
  Lines lines(file);
  std::vector<std::int64_t> numbers;
  std::string_view line;
  while (lines.Next(line)) {
    while (!line.empty()) {
      numbers.push_back(ToNumber(lines, TakeWord(line, ' ')));
      if (numbers.back() >= static_cast<std::int64_t>(limit)) {
        lines.Fail(StrCat(numbers.back(), ", expected less than ", limit));
      }
    }
  }
  return numbers;
}

}  // namespace tailmark::lists
