#include "datasets/dataset.h"

#include <array>
#include <stdexcept>
#include <utility>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {

std::string_view NameOf(Group group) {
  constexpr std::array<std::string_view, 5> kNames = {"head", "medium", "tail",
                                                      "base", "novel"};
  return kNames[static_cast<std::size_t>(group)];
}

Group GroupByCount(std::int64_t train_positives) {
  if (train_positives >= 100) return Group::kHead;
  return train_positives >= 20 ? Group::kMedium : Group::kTail;
}

std::string_view NameOf(SplitRole role) {
  constexpr std::array<std::string_view, 5> kNames = {
      "train", "validation", "test", "support", "query"};
  return kNames[static_cast<std::size_t>(role)];
}

std::string IdsHash(const Split& split) {
  Sha256 digest;
  for (const std::string& id : split.ids) digest.Update(id).Update("\n");
  return digest.Hex();
}

std::string ListHash(const Split& split, const LabelMatrix& labels) {
  TM_CHECK(labels.rows == split.size(), split.name, ": ", split.size(),
           " ids, labels of ", labels.rows);
  Sha256 digest;
  std::string line;
  for (std::int64_t row = 0; row < labels.rows; ++row) {
    line = split.ids[static_cast<std::size_t>(row)] + '\t';
    for (std::int64_t c = 0; c < labels.classes; ++c) {
      const char bit = labels.Positive(row, c) ? '1' : '0';
      line += labels.Known(row, c) ? bit : '?';
    }
    digest.Update(line).Update("\n");
  }
  return digest.Hex();
}

void DatasetRegistry::Add(Entry entry) {
  std::string name = entry.info.name;
  if (!entries_.emplace(name, std::move(entry)).second) {
    throw std::logic_error(StrCat("data set '", name, "' registered twice"));
  }
}

const DatasetRegistry::Entry& DatasetRegistry::Find(
    std::string_view name) const {
  const std::string_view registered = name.substr(0, name.find(':'));
  if (const auto it = entries_.find(registered); it != entries_.end()) {
    return it->second;
  }
  throw ConfigError(UnknownName("data set", name, Names()));
}

std::vector<std::string> DatasetRegistry::Names() const {
  std::vector<std::string> names;
  for (const auto& entry : entries_) names.push_back(entry.first);
  return names;
}

}  // namespace tailmark
