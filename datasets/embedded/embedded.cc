#include "datasets/embedded/embedded.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "datasets/embedded/benchmark.h"
#include "datasets/embedded/caption.h"
#include "datasets/embedded/web_pairs.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"

namespace tailmark::embedded {
namespace {

constexpr std::size_t kDigits = 5;

std::string_view PrefixOf(Part part) {
  switch (part) {
    case Part::kTrain:
      return "train/";
    case Part::kTest:
      return "test/";
    case Part::kBalanced:
      return "balanced/";
  }
  return "";
}

Split MakeSplit(Part part, SplitRole role, std::size_t pictures) {
  Split split{.name = std::string(NameOf(role)), .role = role};
  for (std::size_t i = 0; i < pictures; ++i) {
    const std::string number = std::to_string(i);
    const std::string zeros(kDigits - std::min(kDigits, number.size()), '0');
    split.ids.push_back(std::string(PrefixOf(part)) + zeros + number);
  }
  return split;
}

std::vector<ClassInfo> MakeClasses(const Targets& counts) {
  std::vector<ClassInfo> classes;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const ClassSpec& spec = kClassTable[c];
    classes.push_back({.name = std::string(spec.name),
                       .train_positives = counts[c],
                       .group = GroupByCount(spec.train_count)});
  }
  return classes;
}

/// The pictures of one part.
struct Pictures {
  Part part;
  std::vector<LabelSet> sets;
};

class EmbeddedDataset final : public Dataset {
 public:
  explicit EmbeddedDataset(const Options& options)
      : options_(options),
        train_pictures_(
            Draw(options.balanced ? Part::kBalanced : Part::kTrain)),
        test_pictures_(Draw(Part::kTest)),
        classes_(MakeClasses(options.balanced ? SameForAll(150)
                                              : LongTailedTargets())),
        train_(MakeSplit(train_pictures_.part, SplitRole::kTrain,
                         train_pictures_.sets.size())),
        test_(MakeSplit(Part::kTest, SplitRole::kTest,
                        test_pictures_.sets.size())),
        train_labels_(ToMatrix(train_pictures_.sets)) {
    for (std::size_t i = 0; i < train_pictures_.sets.size(); ++i) {
      const LabelSet& set = train_pictures_.sets[i];
      captions_.push_back(BenchmarkCaption(
          set, ContextOf(train_pictures_.part, seed(), i, set)));
    }
  }

  const std::vector<ClassInfo>& classes() const override { return classes_; }
  const Split& train() const override { return train_; }
  const Split& test() const override { return test_; }
  const LabelMatrix& train_labels() const override { return train_labels_; }
  const std::vector<std::string>& train_captions() const override {
    return captions_;
  }

  std::string manifest_sha256() const override {
    return Sha256Hex(StrCat("embedded scenes, version ", kVersion, ", seed ",
                            seed(), ", balanced ", options_.balanced,
                            ", camera ", options_.camera, "\n"));
  }
  std::string label_policy() const override {
    return "difficult=ignore,empty=keep";  // nothing is difficult, none is
                                           // empty
  }

  // By id, not by row: a split may be a part of one of ours.
  Image LoadImage(const Split& split, std::int64_t row) const override {
    TM_CHECK(row >= 0 && row < split.size(), split.name, " has no row ", row);
    const std::string& id = split.ids[static_cast<std::size_t>(row)];
    for (const Pictures* pictures : {&train_pictures_, &test_pictures_}) {
      std::string_view number = id;
      const std::string_view prefix = PrefixOf(pictures->part);
      if (!number.starts_with(prefix)) continue;
      number.remove_prefix(prefix.size());
      std::uint64_t index = 0;
      const auto [end, error] =
          std::from_chars(number.data(), number.data() + number.size(), index);
      if (error != std::errc() || end != number.data() + number.size() ||
          index >= pictures->sets.size()) {
        break;
      }
      return DrawPicture(pictures->part, seed(), index, pictures->sets[index],
                         options_.camera);
    }
    throw DataError(StrCat("data set 'embedded' has no picture '", id,
                           "'; expected ", train_.ids.front(), "..",
                           train_.ids.back(), " or ", test_.ids.front(), "..",
                           test_.ids.back()));
  }

 private:
  std::uint64_t seed() const {
    return static_cast<std::uint64_t>(options_.data_seed);
  }
  Pictures Draw(Part part) const { return {part, LabelSetsOf(part, seed())}; }

  Options options_;
  Pictures train_pictures_;
  Pictures test_pictures_;
  std::vector<ClassInfo> classes_;
  Split train_;
  Split test_;
  LabelMatrix train_labels_;
  std::vector<std::string> captions_;
};

}  // namespace

LabelMatrix ToMatrix(const std::vector<LabelSet>& sets) {
  LabelMatrix matrix{.rows = static_cast<std::int64_t>(sets.size()),
                     .classes = kClasses};
  matrix.positive.resize(sets.size() * kClasses);
  for (std::size_t row = 0; row < sets.size(); ++row) {
    for (const int c : sets[row].classes) {
      matrix.positive[row * kClasses + static_cast<std::size_t>(c)] = 1;
    }
  }
  return matrix;
}

DatasetRegistry::Entry EmbeddedEntry() {
  return {.info = {.name = "embedded",
                   .version = kVersion,
                   .summary = "made long-tailed scenes, 24 classes, 48 x 48; "
                              "needs no files",
                   .needs_root = false,
                   .options = DescribeOptions<Options>()},
          .open = [](const DatasetSpec& spec) -> std::unique_ptr<Dataset> {
            return std::make_unique<EmbeddedDataset>(
                FromMap<Options>(spec.options));
          }};
}

}  // namespace tailmark::embedded
