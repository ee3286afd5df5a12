#include "datasets/episodes.h"

#include "harness/base/digest.h"
#include "harness/base/error.h"

namespace tailmark {

std::vector<std::int64_t> ColumnsOf(const std::vector<ClassInfo>& classes,
                                    Group group) {
  std::vector<std::int64_t> columns;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (classes[c].group == group) {
      columns.push_back(static_cast<std::int64_t>(c));
    }
  }
  return columns;
}

LabelMatrix TakeColumns(const LabelMatrix& labels,
                        std::span<const std::int64_t> columns) {
  LabelMatrix out{.rows = labels.rows,
                  .classes = static_cast<std::int64_t>(columns.size())};
  for (std::int64_t row = 0; row < labels.rows; ++row) {
    for (const std::int64_t c : columns) {
      TM_CHECK(c >= 0 && c < labels.classes, "no column ", c);
      out.positive.push_back(labels.Positive(row, c) ? 1 : 0);
      if (!labels.known.empty()) out.known.push_back(labels.Known(row, c));
    }
  }
  return out;
}

void KeepKnown(LabelMatrix& labels, std::span<const std::int64_t> columns) {
  const auto classes = static_cast<std::size_t>(labels.classes);
  std::vector<std::uint8_t> kept(classes);
  for (const std::int64_t c : columns) kept[static_cast<std::size_t>(c)] = 1;
  if (labels.known.empty()) labels.known.assign(labels.positive.size(), 1);
  for (std::size_t i = 0; i < labels.positive.size(); ++i) {
    if (kept[i % classes] != 0) continue;
    labels.positive[i] = 0;
    labels.known[i] = 0;
  }
}

std::string EpisodesHash(const Episodes& episodes) {
  Sha256 digest;
  digest.Update(StrCat(episodes.protocol, "\n", episodes.shots, " ",
                       episodes.exact ? "exact" : "least", "\n"));
  for (const auto* columns : {&episodes.base, &episodes.novel}) {
    for (const std::int64_t c : *columns) digest.Update(StrCat(c, " "));
    digest.Update("\n");
  }
  for (const Episode& each : episodes.episodes) {
    digest.Update(
        StrCat(each.number, " ", ListHash(each.support, each.labels), "\n"));
  }
  return digest.Hex();
}

}  // namespace tailmark
