#include "harness/run/run_data.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <utility>

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
  if ((trains && out.train.size() == 0) || out.test.size() == 0 ||
      labels.classes == 0) {
    throw DataError(StrCat(id.dataset, ": ", out.train.size(),
                           " training images, ", out.test.size(),
                           " test images, ", labels.classes,
                           " classes; a run needs at least one of each"));
  }
  out.rows.ids = out.train.ids;
  out.rows.captions = data.train_captions();
  if (id.limit > 0) Shorten(out.rows.captions, id.limit);
  out.rows.labels = ToTensor(labels.positive, labels.rows, labels.classes);
  const bool all_known =
      std::all_of(labels.known.begin(), labels.known.end(),
                  [](std::uint8_t known) { return known != 0; });
  if (!all_known) {
    out.rows.known =
        ToTensor(labels.known, labels.rows, labels.classes).to(at::kBool);
  }
  return out;
}

Problem MakeProblem(const RunData& data) {
  Problem problem;
  problem.train_images = data.train.size();
  auto positive = data.rows.labels.ne(0);
  if (data.rows.known.defined()) {
    positive = positive.logical_and(data.rows.known);
  }
  const at::Tensor counts = positive.sum(0);
  std::int64_t index = 0;
  for (const ClassInfo& each : data.dataset->classes()) {
    problem.class_names.push_back(each.name);
    problem.train_counts.push_back(counts[index].item<std::int64_t>());
    problem.groups[std::string(NameOf(each.group))].push_back(index);
    ++index;
  }
  TM_CHECK(index == counts.size(0), "classes and label columns differ");
  return problem;
}

}  // namespace tailmark
