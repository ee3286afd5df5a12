#include "methods/nn/label_partition.h"

#include "methods/torch_pch.h"

namespace tailmark {

Partition PartitionOfLabels(const TrainSource& train,
                            const std::vector<std::string>& class_names,
                            const PartitionOptions& options) {
  auto present = train.labels().ne(0);
  if (train.known().defined()) present = present.logical_and(train.known());
  const auto cells = present.to(at::kByte).contiguous();
  const auto* begin = cells.data_ptr<std::uint8_t>();
  return MakePartition(
      {.labels = {begin, static_cast<std::size_t>(cells.numel())},
       .names = class_names},
      options);
}

}  // namespace tailmark
