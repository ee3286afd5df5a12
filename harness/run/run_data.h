#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "datasets/dataset.h"
#include "harness/api/method.h"
#include "harness/record/run_spec.h"
#include "harness/run/sources.h"

namespace tailmark {

/// The data of a run, checked against its spec.
struct RunData {
  std::unique_ptr<Dataset> dataset;
  Split train;  ///< The first `limit` rows when the spec has a limit.
  Split test;
  TrainRows rows;  ///< Of `train`.
};

/// Opens the spec's data set. Throws ConfigError when its version is not the
/// one this program has, DataError when manifest or training list differ from
/// the spec's hashes (an empty hash in the spec is not checked), or when there
/// is nothing to score or, if the method `trains`, to train on (a few-shot
/// protocol may be without base images).
RunData OpenRunData(const RunSpec& spec, const DatasetRegistry& datasets,
                    bool trains);

/// Names, positives and groups for the method. Positives are those of `rows`,
/// which take part; groups are those of the whole data set. `columns` are the
/// classes that the columns of `rows` stand for; empty: all of them. Encoder,
/// device and precision are the caller's to fill in.
Problem MakeProblem(const Dataset& dataset, const TrainRows& rows,
                    const std::vector<std::int64_t>& columns = {});

/// The tensors and names of a split with its labels; captions stay empty.
TrainRows MakeRows(const Split& split, const LabelMatrix& labels);

}  // namespace tailmark
