#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/api/method.h"
#include "methods/psd/psd_model.h"

namespace tailmark {

/// The teachers of one graph: each knows some classes, all of them together
/// every class once.
class TeacherBank {
 public:
  /// Teachers as their runs saved them, under the roles "<role>-0", ... or
  /// "<role>" alone. One whose part was merged away is left out. Throws
  /// DataError when a class has no teacher, or two.
  TeacherBank(const FitContext& context, const std::string& role,
              const PsdTraining& options, const Problem& problem);
  /// As Save() wrote it.
  TeacherBank(const StateReader& in, const std::string& prefix,
              const PsdTraining& options, const Problem& problem);

  /// Logits [B, C] of all teachers, each at its classes' places. No graph.
  at::Tensor Logits(const at::Tensor& prepared) const;
  std::int64_t size() const {
    return static_cast<std::int64_t>(teachers_.size());
  }
  void Save(StateWriter& out, const std::string& prefix) const;

 private:
  void Add(const StateReader& in, const std::string& prefix);
  void CheckComplete(const std::string& role) const;

  const PsdTraining& options_;
  const Problem& problem_;
  std::vector<std::unique_ptr<PsdModel>> teachers_;
};

/// What a run leaves for a bank: which classes, and the weights that score.
void SaveTeacher(StateWriter& out, const std::string& prefix,
                 const std::vector<std::int64_t>& classes,
                 std::span<const at::Tensor> values);

}  // namespace tailmark
