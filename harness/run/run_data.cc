#include "harness/run/run_data.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "datasets/episodes.h"
#include "harness/base/error.h"

namespace tailmark {
namespace {

template <class T>
void Shorten(std::vector<T>& list, std::int64_t size) {
  if (static_cast<std::int64_t>(list.size()) > size) {
    list.resize(static_cast<std::size_t>(size));
  }
}

Split FirstRows(Split split, std::int64_t limit) {
  if (limit > 0) Shorten(split.ids, limit);
  return split;
}

LabelMatrix FirstRows(LabelMatrix labels, std::int64_t limit) {
  if (limit > 0 && labels.rows > limit) {
    labels.rows = limit;
    Shorten(labels.positive, limit * labels.classes);
    if (!labels.known.empty()) Shorten(labels.known, limit * labels.classes);
  }
  return labels;
}

at::Tensor ToTensor(const std::vector<std::uint8_t>& cells, std::int64_t rows,
                    std::int64_t classes) {
  at::Tensor out = at::empty({rows, classes}, at::kByte);
  std::memcpy(out.mutable_data_ptr(), cells.data(), cells.size());
  return out;
}

void RequireHash(const std::string& what, const std::string& expected,
                 const std::string& found) {
  if (expected.empty() || expected == found) return;
  throw DataError(StrCat(what, ": SHA-256 is ", found, ", the run spec says ",
                         expected,
                         "; the data are not those it was planned for: plan "
                         "again, or provide the data it names"));
}

}  // namespace

RunData OpenRunData(const RunSpec& spec, const DatasetRegistry& datasets,
                    bool trains) {
  const RunIdentity& id = spec.identity;
  const DatasetRegistry::Entry& entry = datasets.Find(id.dataset);
  if (entry.info.version != id.dataset_version) {
    throw ConfigError(StrCat("data set '", id.dataset, "' is version ",
                             entry.info.version, " here, the run spec says ",
                             id.dataset_version, "; plan again"));
  }
  RunData out;
  out.dataset = entry.open(
      {.name = id.dataset,
       .options = ResolveOptions(entry.info.options, id.dataset_options),
       .root = spec.place.data_root,
       .cache = spec.place.cache});
  const Dataset& data = *out.dataset;
  RequireHash(id.dataset + ": manifest", id.manifest_sha256,
              data.manifest_sha256());
  out.train = FirstRows(data.train(), id.limit);
  out.test = FirstRows(data.test(), id.limit);
  const LabelMatrix labels = FirstRows(data.train_labels(), id.limit);
  RequireHash(id.dataset + ": training list", id.train_list_sha256,
              ListHash(out.train, labels));
  const Episodes* episodes = data.episodes();
  RequireHash(id.dataset + ": episodes", id.episodes_sha256,
              episodes == nullptr ? "" : EpisodesHash(*episodes));
  if ((trains && episodes == nullptr && out.train.size() == 0) ||
      out.test.size() == 0 || labels.classes == 0) {
    throw DataError(StrCat(id.dataset, ": ", out.train.size(),
                           " training images, ", out.test.size(),
                           " test images, ", labels.classes,
                           " classes; a run needs at least one of each"));
  }
  out.rows = MakeRows(out.train, labels);
  out.rows.captions = data.train_captions();
  if (id.limit > 0) Shorten(out.rows.captions, id.limit);
  return out;
}

TrainRows MakeRows(const Split& split, const LabelMatrix& labels) {
  TrainRows rows;
  rows.ids = split.ids;
  rows.labels = ToTensor(labels.positive, labels.rows, labels.classes);
  const bool all_known =
      std::all_of(labels.known.begin(), labels.known.end(),
                  [](std::uint8_t known) { return known != 0; });
  if (!all_known) {
    rows.known =
        ToTensor(labels.known, labels.rows, labels.classes).to(at::kBool);
  }
  return rows;
}

Problem MakeProblem(const Dataset& dataset, const TrainRows& rows,
                    const std::vector<std::int64_t>& columns) {
  Problem problem;
  problem.train_images = static_cast<std::int64_t>(rows.ids.size());
  auto positive = rows.labels.ne(0);
  if (rows.known.defined()) positive = positive.logical_and(rows.known);
  const at::Tensor counts = positive.sum(0);
  const auto& classes = dataset.classes();
  const std::size_t count = columns.empty() ? classes.size() : columns.size();
  TM_CHECK(static_cast<std::int64_t>(count) == counts.size(0),
           "classes and label columns differ");
  for (std::size_t i = 0; i < count; ++i) {
    const ClassInfo& each =
        classes.at(columns.empty() ? i : static_cast<std::size_t>(columns[i]));
    const auto index = static_cast<std::int64_t>(i);
    problem.class_names.push_back(each.name);
    problem.train_counts.push_back(counts[index].item<std::int64_t>());
    problem.groups[std::string(NameOf(each.group))].push_back(index);
  }
  return problem;
}

}  // namespace tailmark
