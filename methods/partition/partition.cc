#include "methods/partition/partition.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/seeds.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

constexpr std::string_view kKinds[] = {"spectral", "random", "given"};

std::vector<std::vector<std::int64_t>> Members(const std::vector<int>& of) {
  std::vector<std::vector<std::int64_t>> parts;
  for (std::size_t c = 0; c < of.size(); ++c) {
    const auto part = static_cast<std::size_t>(of[c]);
    if (parts.size() <= part) parts.resize(part + 1);
    parts[part].push_back(static_cast<std::int64_t>(c));
  }
  return parts;
}

/// [K] images that show at least one class of each part.
std::vector<std::int64_t> ImagesOf(
    std::span<const std::uint8_t> labels, std::size_t classes,
    const std::vector<std::vector<std::int64_t>>& parts) {
  std::vector<std::int64_t> images(parts.size(), 0);
  for (std::size_t row = 0; row + classes <= labels.size() && classes > 0;
       row += classes) {
    for (std::size_t part = 0; part < parts.size(); ++part) {
      images[part] += std::any_of(
          parts[part].begin(), parts[part].end(), [&](std::int64_t c) {
            return labels[row + static_cast<std::size_t>(c)] != 0;
          });
    }
  }
  return images;
}

/// Mean weight of the edges from the classes of part `a` to those of `b`.
double MeanEdge(const SquareMatrix& edges, const std::vector<std::int64_t>& a,
                const std::vector<std::int64_t>& b) {
  double sum = 0;
  for (const std::int64_t i : a) {
    for (const std::int64_t j : b) {
      sum += edges.At(static_cast<std::size_t>(i), static_cast<std::size_t>(j));
    }
  }
  return sum / static_cast<double>(a.size() * b.size());
}

std::string NamesOf(const std::vector<std::string>& names,
                    const std::vector<std::int64_t>& classes) {
  std::string text;
  for (const std::int64_t c : classes) {
    text += (text.empty() ? "" : ", ") + names[static_cast<std::size_t>(c)];
  }
  return text;
}

/// Smallest part first, until every part has enough images or is alone.
void MergeSmallParts(std::span<const std::uint8_t> labels, Partition& out) {
  const std::size_t classes = out.names.size();
  while (true) {
    const auto parts = Members(out.part_of);
    const auto images = ImagesOf(labels, classes, parts);
    const auto smallest = static_cast<std::size_t>(
        std::min_element(images.begin(), images.end()) - images.begin());
    if (parts.size() < 2 || images[smallest] >= out.options.merge_below) return;
    std::size_t target = smallest == 0 ? 1 : 0;
    double most = -1;
    for (std::size_t part = 0; part < parts.size(); ++part) {
      if (part == smallest) continue;
      const double weight = MeanEdge(out.edges, parts[smallest], parts[part]);
      if (weight > most) {
        most = weight;
        target = part;
      }
    }
    out.merges.push_back(StrCat("{", NamesOf(out.names, parts[smallest]),
                                "}: ", images[smallest], " images, joined {",
                                NamesOf(out.names, parts[target]), "}"));
    for (int& part : out.part_of) {
      if (part == static_cast<int>(smallest)) part = static_cast<int>(target);
    }
    NumberBySize(out.part_of);
  }
}

/// The classes of `part_of` dealt anew, parts keep their sizes.
std::vector<int> Shuffled(std::vector<int> part_of, ChanceStream chance) {
  for (std::size_t i = part_of.size(); i > 1; --i) {
    std::swap(part_of[i - 1],
              part_of[chance.Below(static_cast<std::uint32_t>(i))]);
  }
  return part_of;
}

std::vector<int> GivenParts(const std::vector<std::string>& names,
                            const std::vector<std::string>& given) {
  std::vector<int> part_of(names.size(), -1);
  int part = 0;
  for (const std::string& line : given) {
    for (std::size_t from = 0; from <= line.size();) {
      const std::size_t end = std::min(line.find(';', from), line.size());
      const std::size_t begin =
          std::min(line.find_first_not_of(' ', from), end);
      std::size_t stop = end;
      while (stop > begin && line[stop - 1] == ' ') --stop;
      from = end + 1;
      const std::string word = line.substr(begin, stop - begin);
      if (word.empty()) continue;
      const auto it = std::find(names.begin(), names.end(), word);
      if (it == names.end()) {
        throw ConfigError(UnknownName("class in a given part", word, names));
      }
      int& mine = part_of[static_cast<std::size_t>(it - names.begin())];
      if (mine >= 0) {
        throw ConfigError(
            StrCat("class '", word, "' is in two of the given parts"));
      }
      mine = part;
    }
    ++part;
  }
  for (int& each : part_of) {
    if (each < 0) each = part;
  }
  NumberBySize(part_of);
  return part_of;
}

void Weigh(Partition& out) {
  double within = 0;
  double between = 0;
  double within_pairs = 0;
  double between_pairs = 0;
  for (std::size_t i = 0; i < out.names.size(); ++i) {
    for (std::size_t j = i + 1; j < out.names.size(); ++j) {
      const bool same = out.part_of[i] == out.part_of[j];
      (same ? within : between) += out.together.At(i, j);
      (same ? within_pairs : between_pairs) += 1;
    }
  }
  out.weight_within = within_pairs > 0 ? within / within_pairs : 0;
  out.weight_between = between_pairs > 0 ? between / between_pairs : 0;
}

std::string LabelsHash(const PartitionLabels& labels) {
  return Sha256Hex({reinterpret_cast<const char*>(labels.labels.data()),
                    labels.labels.size()});
}

Json OptionsJson(const PartitionOptions& o) {
  return {{"partition", NameOf(o.kind)},
          {"graph", NameOf(o.graph)},
          {"parts", o.parts},
          {"exponent", o.exponent},
          {"smooth", o.smooth},
          {"merge_below", o.merge_below},
          {"keep", NameOf(o.keep)},
          {"restarts", o.restarts},
          {"seed", o.seed},
          {"given", o.given}};
}

std::string HashOfInputs(const PartitionOptions& options,
                         const std::vector<std::string>& names,
                         const std::string& labels_sha256) {
  return HashOf(Json{{"options", OptionsJson(options)},
                     {"classes", names},
                     {"labels", labels_sha256}});
}

}  // namespace

std::string_view NameOf(PartitionKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

PartitionKind PartitionKindByName(std::string_view name) {
  for (const auto kind : {PartitionKind::kSpectral, PartitionKind::kRandom,
                          PartitionKind::kGiven}) {
    if (NameOf(kind) == name) return kind;
  }
  const std::vector<std::string> known(std::begin(kKinds), std::end(kKinds));
  throw ConfigError(UnknownName("partition", name, known));
}

Partition MakePartition(const PartitionLabels& labels,
                        const PartitionOptions& options) {
  Partition out;
  out.options = options;
  out.names = {labels.names.begin(), labels.names.end()};
  out.labels_sha256 = LabelsHash(labels);
  const LabelCounts counts = CountLabels(labels.labels, out.names.size());
  out.edges =
      LabelGraph(counts, options.graph, options.exponent, options.smooth);
  out.together = LabelGraph(counts, GraphKind::kTogether, options.exponent,
                            options.smooth);
  if (options.kind == PartitionKind::kGiven) {
    out.part_of = GivenParts(out.names, options.given);
  } else {
    // One seed for the cut: random parts have the sizes of the spectral ones
    // whatever their own seed.
    const bool random = options.kind == PartitionKind::kRandom;
    out.part_of = SpectralParts(out.edges, {.parts = options.parts,
                                            .restarts = options.restarts,
                                            .keep = options.keep,
                                            .seed = random ? 0 : options.seed});
    if (options.merge_below > 0) MergeSmallParts(labels.labels, out);
    if (random) {
      const auto graph = static_cast<std::uint64_t>(options.graph);
      out.part_of = Shuffled(
          out.part_of,
          ChanceStream(DeriveSeed(options.seed, "partition/random", graph), 0,
                       0));
      out.merges.clear();
    }
  }
  out.parts = Members(out.part_of);
  out.images = ImagesOf(labels.labels, out.names.size(), out.parts);
  out.cut = NormalisedCut(out.edges, out.part_of);
  out.calinski_harabasz = CalinskiHarabasz(out.edges, out.part_of);
  Weigh(out);
  return out;
}

double BootstrapRand(const PartitionLabels& labels, const Partition& partition,
                     int draws, std::uint64_t seed) {
  const std::size_t classes = partition.names.size();
  const std::size_t rows = classes == 0 ? 0 : labels.labels.size() / classes;
  if (rows == 0 || draws <= 0) return 0;
  double sum = 0;
  std::vector<std::uint8_t> drawn(labels.labels.size());
  for (int draw = 0; draw < draws; ++draw) {
    ChanceStream chance(DeriveSeed(seed, "partition/bootstrap"), 0,
                        static_cast<std::uint64_t>(draw));
    for (std::size_t row = 0; row < rows; ++row) {
      const auto from = labels.labels.subspan(
          chance.Below(static_cast<std::uint32_t>(rows)) * classes, classes);
      std::copy(from.begin(), from.end(),
                drawn.begin() + static_cast<std::ptrdiff_t>(row * classes));
    }
    const Partition other = MakePartition(
        {.labels = drawn, .names = labels.names}, partition.options);
    sum += AdjustedRand(partition.part_of, other.part_of);
  }
  return sum / draws;
}

RandomWeight WeightOfRandomParts(const Partition& partition, int draws,
                                 std::uint64_t seed) {
  std::vector<double> found;
  Partition other = partition;
  for (int draw = 0; draw < draws; ++draw) {
    other.part_of = Shuffled(
        partition.part_of, ChanceStream(DeriveSeed(seed, "partition/weight"), 0,
                                        static_cast<std::uint64_t>(draw)));
    Weigh(other);
    found.push_back(other.weight_within);
  }
  RandomWeight out;
  if (found.empty()) return out;
  const auto n = static_cast<double>(found.size());
  out.mean = std::accumulate(found.begin(), found.end(), 0.0) / n;
  double square = 0;
  for (const double each : found)
    square += (each - out.mean) * (each - out.mean);
  out.deviation = found.size() > 1 ? std::sqrt(square / (n - 1.0)) : 0;
  return out;
}

Json ToJson(const Partition& partition,
            const std::optional<PartitionStudy>& study) {
  Json parts = Json::array();
  for (std::size_t p = 0; p < partition.parts.size(); ++p) {
    Json names = Json::array();
    for (const std::int64_t c : partition.parts[p]) {
      names.push_back(partition.names[static_cast<std::size_t>(c)]);
    }
    parts.push_back({{"classes", std::move(names)},
                     {"indices", partition.parts[p]},
                     {"images", partition.images[p]}});
  }
  Json together = Json::array();
  for (std::size_t i = 0; i < partition.together.size; ++i) {
    const auto* row =
        partition.together.values.data() + i * partition.together.size;
    together.push_back(std::vector<double>(row, row + partition.together.size));
  }
  Json out = {{"schema", "tailmark-partition/1"},
              {"options", OptionsJson(partition.options)},
              {"classes", partition.names},
              {"labels_sha256", partition.labels_sha256},
              {"parts", std::move(parts)},
              {"part_of", partition.part_of},
              {"merges", partition.merges},
              {"normalised_cut", partition.cut},
              {"calinski_harabasz", partition.calinski_harabasz},
              {"weight_within", partition.weight_within},
              {"weight_between", partition.weight_between},
              {"together", std::move(together)},
              {"sha256", HashOfInputs(partition.options, partition.names,
                                      partition.labels_sha256)}};
  if (study) {
    out["study"] = {{"bootstrap_rand", study->bootstrap_rand},
                    {"bootstrap_draws", study->bootstrap_draws},
                    {"random_weight_mean", study->random.mean},
                    {"random_weight_deviation", study->random.deviation},
                    {"random_draws", study->random_draws}};
  }
  return out;
}

std::string PartitionHash(const PartitionLabels& labels,
                          const PartitionOptions& options) {
  return HashOfInputs(options, {labels.names.begin(), labels.names.end()},
                      LabelsHash(labels));
}

}  // namespace tailmark
