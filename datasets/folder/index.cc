#include "datasets/folder/index.h"

#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "datasets/folder/class_list.h"
#include "datasets/folder/listing.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/suggest.h"

namespace tailmark::folder {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMostListBytes = std::int64_t{1} << 30;
// A list of a few megabytes must not ask for a matrix of terabytes.
constexpr std::int64_t kMostCells = std::int64_t{1} << 31;

void CheckOptions(const Options& options, const fs::path& root) {
  if (root.empty()) {
    throw ConfigError("data set 'folder' needs a root: where its files lie");
  }
  const bool single = !options.labels.empty();
  const bool pair = !options.train.empty() || !options.test.empty();
  if (single && pair) {
    throw ConfigError(
        "data set 'folder': give either option 'labels' or 'train' and 'test'");
  }
  if (!single && options.test.empty()) {
    throw ConfigError(
        "data set 'folder': which images are to be tested? give option "
        "'labels' or 'test'");
  }
  if (options.label_delimiter.empty()) {
    throw ConfigError(
        "option 'label_delimiter' is empty; usual are | ; and "
        "one space");
  }
}

std::vector<Listing> ReadListings(const Options& options, const fs::path& root,
                                  bool test_labels) {
  const auto read = [&](const std::string& file,
                        std::optional<SplitRole> role) {
    const fs::path path = root / file;
    return ReadListing(ReadFile(path, kMostListBytes), path.string(),
                       {.delimiter = options.label_delimiter,
                        .prefix = options.prefix,
                        .role = role,
                        .test_labels = test_labels});
  };
  std::vector<Listing> listings;
  if (!options.labels.empty()) {
    listings.push_back(read(options.labels, std::nullopt));
    return listings;
  }
  if (!options.train.empty()) {
    listings.push_back(read(options.train, SplitRole::kTrain));
  }
  listings.push_back(read(options.test, SplitRole::kTest));
  return listings;
}

std::vector<std::string> NamesOf(const std::vector<CountedClass>& counted) {
  std::vector<std::string> names;
  for (const CountedClass& each : counted) names.push_back(each.name);
  return names;
}

// Categories of the first JSON; a second one must agree.
std::vector<std::string> CommonCategories(
    const std::vector<Listing>& listings) {
  const Listing* first = nullptr;
  for (const Listing& listing : listings) {
    if (listing.categories.empty()) continue;
    if (first == nullptr) first = &listing;
    if (listing.categories != first->categories) {
      throw DataError(
          StrCat(listing.name, ": other categories than in ", first->name));
    }
  }
  return first == nullptr ? std::vector<std::string>() : first->categories;
}

std::vector<std::string> TrainingLabels(const std::vector<Listing>& listings) {
  std::set<std::string> names;
  for (const Listing& listing : listings) {
    for (const ListedImage& image : listing.images) {
      if (image.role != SplitRole::kTrain) continue;
      for (const ListedLabel& label : image.labels) names.insert(label.text);
    }
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> ClassNamesOf(const Options& options,
                                      const fs::path& root,
                                      const std::vector<CountedClass>& counted,
                                      const std::vector<Listing>& listings) {
  if (!options.classes.empty()) {
    return ParseClassNames(ReadListFile(options.classes, root),
                           (root / options.classes).string());
  }
  if (!counted.empty()) return NamesOf(counted);
  auto categories = CommonCategories(listings);
  if (!categories.empty()) return categories;
  if (options.labels_are == "indices") {
    throw ConfigError(
        "labels that are indices need a class list: give option 'classes' or "
        "'counts'");
  }
  return TrainingLabels(listings);
}

/// Turns labels as written into class indices.
class Classes {
 public:
  Classes(std::vector<std::string> names, bool indices)
      : names_(std::move(names)), indices_(indices) {
    for (std::size_t c = 0; c < names_.size(); ++c) {
      if (const auto wrong = WhatIsWrongWithClass(names_[c]); !wrong.empty()) {
        throw DataError(StrCat("class ", c, ": ", wrong));
      }
      if (!index_of_.emplace(names_[c], c).second) {
        throw DataError(StrCat("class '", names_[c], "' is there twice"));
      }
    }
  }

  const std::vector<std::string>& names() const { return names_; }

  std::size_t IndexOf(const Listing& listing, const ListedImage& image,
                      const ListedLabel& label) const {
    // JSON has its own identifiers; its labels arrive as names.
    return indices_ && image.line > 0 ? FromNumber(listing, image, label)
                                      : FromName(listing, image, label);
  }

 private:
  std::size_t FromName(const Listing& listing, const ListedImage& image,
                       const ListedLabel& label) const {
    const auto it = index_of_.find(label.text);
    if (it != index_of_.end()) return it->second;
    Fail(listing, image, label,
         UnknownName("class", label.text, names_) +
             (image.role == SplitRole::kTest
                  ? "; classes that no training image shows must be in the "
                    "option 'classes' or 'counts'"
                  : ""));
  }

  std::size_t FromNumber(const Listing& listing, const ListedImage& image,
                         const ListedLabel& label) const {
    std::size_t index = 0;
    const char* end = label.text.data() + label.text.size();
    const auto result = std::from_chars(label.text.data(), end, index);
    if (result.ec != std::errc() || result.ptr != end ||
        index >= names_.size()) {
      Fail(listing, image, label,
           StrCat("'", label.text, "' is no class index; expected 0..",
                  static_cast<std::int64_t>(names_.size()) - 1));
    }
    return index;
  }

  [[noreturn]] static void Fail(const Listing& listing,
                                const ListedImage& image,
                                const ListedLabel& label,
                                std::string_view what) {
    if (image.line == 0) {
      throw DataError(
          StrCat(listing.name, ": image '", image.path, "': ", what));
    }
    throw DataError(
        StrCat(listing.name, ":", image.line, ":", label.column, ": ", what));
  }

  std::vector<std::string> names_;
  bool indices_;
  std::unordered_map<std::string, std::size_t> index_of_;
};

LabelMatrix EmptyMatrix(std::int64_t rows, std::size_t classes) {
  const auto columns = static_cast<std::int64_t>(classes);
  if (columns > 0 && rows > kMostCells / columns) {
    throw DataError(StrCat(rows, " images of ", columns, " classes: more than ",
                           kMostCells, " labels"));
  }
  LabelMatrix labels{.rows = rows, .classes = columns};
  labels.positive.resize(static_cast<std::size_t>(rows * columns));
  return labels;
}

Split MakeSplit(const std::vector<Listing>& listings, SplitRole role) {
  Split split{.name = std::string(NameOf(role)), .role = role};
  for (const Listing& listing : listings) {
    for (const ListedImage& image : listing.images) {
      if (image.role == role) split.ids.push_back(image.path);
    }
  }
  return split;
}

LabelMatrix MakeLabels(const std::vector<Listing>& listings, const Split& split,
                       const Classes& classes) {
  LabelMatrix labels = EmptyMatrix(split.size(), classes.names().size());
  std::size_t row = 0;
  for (const Listing& listing : listings) {
    for (const ListedImage& image : listing.images) {
      if (image.role != split.role) continue;
      for (const ListedLabel& label : image.labels) {
        const std::size_t c = classes.IndexOf(listing, image, label);
        labels.positive[row * classes.names().size() + c] = 1;
      }
      ++row;
    }
  }
  return labels;
}

// A picture in both splits would be tested on what it was trained with.
void JoinImages(const std::vector<Listing>& listings, Index& index) {
  std::unordered_map<std::string, const Listing*> seen;
  for (const Listing& listing : listings) {
    for (const ListedImage& image : listing.images) {
      const auto [first, added] = seen.emplace(image.path, &listing);
      if (!added) {
        throw DataError(StrCat(listing.name, ":", image.line, ":1: '",
                               image.path, "' is already in ",
                               first->second->name));
      }
      if (!image.sha256.empty()) {
        index.sha256.emplace(image.path, image.sha256);
      }
    }
  }
}

std::vector<std::int64_t> CountsOf(const Options& options,
                                   const std::vector<CountedClass>& stated,
                                   const Classes& classes,
                                   const LabelMatrix& train) {
  std::vector<std::int64_t> counts(classes.names().size());
  if (options.counts.empty()) {
    for (std::size_t i = 0; i < train.positive.size(); ++i) {
      counts[i % counts.size()] += train.positive[i];
    }
    return counts;
  }
  if (stated.size() != counts.size()) {
    throw DataError(StrCat(options.counts, ": ", stated.size(),
                           " classes, expected ", counts.size()));
  }
  std::unordered_map<std::string, std::int64_t> by_name;
  for (const CountedClass& each : stated) by_name[each.name] = each.count;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const auto it = by_name.find(classes.names()[c]);
    if (it == by_name.end()) {
      throw DataError(StrCat(options.counts, ": no count of class '",
                             classes.names()[c], "'"));
    }
    counts[c] = it->second;
  }
  return counts;
}

void RequireSomething(const Options& options, const Index& index,
                      const Classes& classes) {
  const std::string& list =
      options.labels.empty() ? options.test : options.labels;
  if (index.test.ids.empty()) {
    throw DataError(
        StrCat(list, ": no test image",
               options.prefix.empty() ? "" : " whose path starts with '",
               options.prefix, options.prefix.empty() ? "" : "'"));
  }
  if (classes.names().empty()) {
    throw DataError(
        StrCat(list,
               ": no class: no training image has a label; without training "
               "images give option 'classes' or 'counts'"));
  }
}

}  // namespace

Index ReadIndex(const Options& options, const fs::path& root,
                bool test_labels) {
  CheckOptions(options, root);
  std::vector<CountedClass> counted;
  if (!options.counts.empty()) {
    counted = ParseCounts(ReadListFile(options.counts, root), options.counts);
  }
  const auto listings = ReadListings(options, root, test_labels);
  Index index;
  JoinImages(listings, index);
  const Classes classes(ClassNamesOf(options, root, counted, listings),
                        options.labels_are == "indices");
  index.train = MakeSplit(listings, SplitRole::kTrain);
  index.test = MakeSplit(listings, SplitRole::kTest);
  RequireSomething(options, index, classes);
  index.train_labels = MakeLabels(listings, index.train, classes);
  if (test_labels) {
    index.test_labels = MakeLabels(listings, index.test, classes);
  }
  const auto counts = CountsOf(options, counted, classes, index.train_labels);
  for (std::size_t c = 0; c < counts.size(); ++c) {
    index.classes.push_back({.name = classes.names()[c],
                             .train_positives = counts[c],
                             .group = GroupByCount(counts[c])});
  }
  for (const Listing& listing : listings) {
    index.coco = index.coco || !listing.categories.empty();
  }
  return index;
}

}  // namespace tailmark::folder
