#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/images/image.h"
#include "harness/base/options.h"

namespace tailmark {

/// head: at least 100 training positives, medium: 20..99, tail: fewer (LMPT,
/// DB-loss and HP-DVAL code agree). base and novel belong to few-shot
/// protocols.
enum class Group : std::uint8_t { kHead, kMedium, kTail, kBase, kNovel };
std::string_view NameOf(Group group);
Group GroupByCount(std::int64_t train_positives);

struct ClassInfo {
  std::string name;
  std::int64_t train_positives = 0;  ///< In the training split as published.
  Group group = Group::kTail;
};

/// Multi-label ground truth, row-major [rows, classes]. Two bits a cell, never
/// -1/0/1: whether the class is there, and whether that is known.
struct LabelMatrix {
  std::int64_t rows = 0;
  std::int64_t classes = 0;
  std::vector<std::uint8_t> positive;  ///< 0 or 1, rows * classes.
  std::vector<std::uint8_t> known;     ///< Empty: every label is known.

  bool Positive(std::int64_t row, std::int64_t c) const {
    return positive[static_cast<std::size_t>(row * classes + c)] != 0;
  }
  bool Known(std::int64_t row, std::int64_t c) const {
    return known.empty() ||
           known[static_cast<std::size_t>(row * classes + c)] != 0;
  }
};

/// The splits a protocol may have. Validation is always a part of train.
enum class SplitRole : std::uint8_t {
  kTrain,
  kValidation,
  kTest,
  kSupport,
  kQuery
};
std::string_view NameOf(SplitRole role);  ///< "train", ...

/// An ordered list of images.
struct Split {
  std::string name;
  SplitRole role = SplitRole::kTrain;
  /// Unique within the split, but for a query list that a protocol draws with
  /// replacement.
  std::vector<std::string> ids;

  std::int64_t size() const { return static_cast<std::int64_t>(ids.size()); }
};

/// SHA-256 of the ids in order, one a line: what a worker can check.
std::string IdsHash(const Split& split);
/// SHA-256 of ids and label bits in order: what a key is made from.
std::string ListHash(const Split& split, const LabelMatrix& labels);

struct Episodes;  // datasets/episodes.h

/// Images, classes and training labels of one data set. Test labels are not
/// here: see datasets/test_labels.h, which only `tailmark` links.
/// Const methods may be called from several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  virtual const std::vector<ClassInfo>& classes() const = 0;
  virtual const Split& train() const = 0;
  virtual const Split& test() const = 0;
  /// Labels of train(), row by row.
  virtual const LabelMatrix& train_labels() const = 0;
  /// One caption a training image, or empty when there are none.
  virtual const std::vector<std::string>& train_captions() const = 0;
  /// What the pictures are, as a hash: of the manifest (path, size, sha256) for
  /// files, of generator version and seed for made ones.
  virtual std::string manifest_sha256() const = 0;
  /// "difficult=positive,empty=keep": how annotations became labels, in the
  /// words of ParseLabelPolicy (harness/metrics/definition.h).
  virtual std::string label_policy() const = 0;
  /// Decoded picture of one row, RGB, before any resizing. Throws DataError
  /// naming the file.
  virtual Image LoadImage(const Split& split, std::int64_t row) const = 0;
  /// The episodes of a few-shot protocol, or null: an ordinary data set. Owned
  /// by this object. Throws DataError when its lists need a file that is
  /// absent.
  virtual const Episodes* episodes() const { return nullptr; }
  /// Ids whose files are not there, in order; none for made data.
  virtual std::vector<std::string> MissingFiles() const { return {}; }

 protected:
  Dataset() = default;
};

/// How a run names its data: what may change a score (name, options) and what
/// may not (root, cache).
struct DatasetSpec {
  std::string name;
  OptionMap options;           ///< Resolved: every field present.
  std::filesystem::path root;  ///< Where the files lie; empty for made data.
  /// Where what is slow to find out may be kept, such as the hashes of files;
  /// empty for nowhere.
  std::filesystem::path cache;
};

/// What is true of a data set before its files are there.
struct DatasetInfo {
  std::string name;  ///< In recipes and results for good.
  int version = 1;   ///< Raise it when a change may move any number.
  std::string summary;
  bool needs_root = false;  ///< Reads files that the user has to provide.
  /// Its lists ship with Tailmark, so that it opens without its images, and
  /// `tailmark data fetch` gets those.
  bool fetchable = false;
  FieldTable options;
};

/// Name -> data set. A plain value, filled by RegisterBuiltinDatasets().
class DatasetRegistry {
 public:
  struct Entry {
    DatasetInfo info;
    /// Throws DataError or ConfigError when the spec cannot be satisfied.
    std::function<std::unique_ptr<Dataset>(const DatasetSpec&)> open;
  };
  /// Throws std::logic_error when the name is taken.
  void Add(Entry entry);
  /// Also "folder:holidays": data set `folder` under a name of the user's,
  /// which results keep. Throws ConfigError with the nearest name.
  const Entry& Find(std::string_view name) const;
  std::vector<std::string> Names() const;  ///< Sorted.

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace tailmark
