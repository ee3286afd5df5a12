#include <cstdio>
#include <iostream>

#include "harness/base/error.h"
#include "harness/cli/data_access.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/partitions.h"
#include "harness/cli/planning.h"
#include "harness/cli/settings.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

void Print(const Json& partition) {
  const Json& o = partition.at("options");
  const Json& study = partition.at("study");
  const std::string merged =
      partition.at("merges").empty()
          ? ""
          : StrCat(" asked for, ", partition.at("parts").size(),
                   " after merging");
  std::cout << partition.at("dataset").get<std::string>() << ": "
            << o.at("partition").get<std::string>() << " partition, graph "
            << o.at("graph").get<std::string>() << ", " << o.at("parts")
            << " parts" << merged << "\n";
  std::size_t number = 0;
  for (const Json& part : partition.at("parts")) {
    std::cout << "\n  part " << number++ << ", " << part.at("indices").size()
              << " classes, " << part.at("images") << " training images\n   ";
    for (std::size_t c = 0; c < part.at("classes").size(); ++c) {
      std::cout << (c == 0 ? " " : ", ")
                << part.at("classes")[c].get<std::string>();
    }
    std::cout << "\n";
  }
  for (const Json& merge : partition.at("merges")) {
    std::cout << "\n  merged " << merge.get<std::string>() << "\n";
  }
  std::cout << "\n  normalised cut        "
            << Number(partition.at("normalised_cut"))
            << "\n  mean weight inside    "
            << Number(partition.at("weight_within")) << ", between "
            << Number(partition.at("weight_between"))
            << "\n  inside random parts   "
            << Number(study.at("random_weight_mean")) << " +- "
            << Number(study.at("random_weight_deviation"))
            << "\n  bootstrap Rand index  "
            << Number(study.at("bootstrap_rand")) << " ("
            << study.at("bootstrap_draws")
            << " draws)\n  sha256                "
            << partition.at("sha256").get<std::string>() << "\n";
}

}  // namespace

int DescribePartition(const DescribeRequest& request,
                      const GlobalOptions& global) {
  if (request.dataset.empty()) {
    throw ConfigError(
        "describe partition needs a data set: tailmark describe partition "
        "embedded");
  }
  const auto settings = FromMap<PartitionSettings>(
      OptionsOfSet(DescribeOptions<PartitionSettings>(), request.set));
  const PartitionOptions options = ToOptions(settings);
  DataAccess data;
  const DatasetInfo& info = data.registry().Find(request.dataset).info;
  const auto& opened = data.Open({.name = request.dataset,
                                  .options = ResolveOptions(info.options, {}),
                                  .root = DefaultDataRoot(info)});
  const Json partition =
      PartitionOf(*opened.dataset, request.dataset, options,
                  /*draws=*/10, StoreFolder(global) / "partitions");
  if (request.json) {
    std::cout << partition.dump(2) << "\n";
  } else {
    Print(partition);
  }
  return kExitOk;
}

}  // namespace tailmark
