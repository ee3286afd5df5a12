#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace tailmark {

/// What a host of plugins may know of the run beside its Problem.
struct PluginPlace {
  std::string pipeline;             ///< Of the images; "" for none.
  std::filesystem::path weights;    ///< The encoder's; "" for none.
  std::filesystem::path data_root;  ///< "" for made data.
  /// The file of an image, for methods that decode by themselves; made data
  /// are written as files first. By id of the training split, and by row of the
  /// test split. Empty: there are none.
  std::function<std::string(const std::string& id)> train_file;
  std::function<std::string(std::int64_t row)> test_file;
  std::filesystem::path pictures;  ///< Where those are that were written.
  /// Files of labels, out of reach for every plugin.
  std::vector<std::filesystem::path> hidden;
};

}  // namespace tailmark
