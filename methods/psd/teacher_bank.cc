#include "methods/psd/teacher_bank.h"

#include <algorithm>

#include "harness/base/error.h"
#include "methods/torch_pch.h"

namespace tailmark {

void SaveTeacher(StateWriter& out, const std::string& prefix,
                 const std::vector<std::int64_t>& classes,
                 std::span<const at::Tensor> values) {
  out.Put(prefix + "classes", at::tensor(classes, at::kLong));
  for (std::size_t i = 0; i < values.size(); ++i) {
    out.Put(StrCat(prefix, i), values[i].detach());
  }
}

TeacherBank::TeacherBank(const FitContext& context, const std::string& role,
                         const PsdTraining& options, const Problem& problem)
    : options_(options), problem_(problem) {
  const auto one = context.inputs.find(role);
  if (one != context.inputs.end()) Add(*one->second, "teacher/");
  for (std::int64_t i = 0;; ++i) {
    const auto it = context.inputs.find(StrCat(role, "-", i));
    if (it == context.inputs.end()) break;
    Add(*it->second, "teacher/");
  }
  CheckComplete(role);
}

TeacherBank::TeacherBank(const StateReader& in, const std::string& prefix,
                         const PsdTraining& options, const Problem& problem)
    : options_(options), problem_(problem) {
  for (std::int64_t i = 0; in.Has(StrCat(prefix, i, "/classes")); ++i) {
    Add(in, StrCat(prefix, i, "/"));
  }
  CheckComplete(prefix);
}

void TeacherBank::Add(const StateReader& in, const std::string& prefix) {
  const auto classes = in.Get(prefix + "classes").to(at::kCPU, at::kLong);
  if (classes.numel() == 0) return;
  const auto* begin = classes.data_ptr<std::int64_t>();
  auto model = std::make_unique<PsdModel>(
      options_, problem_,
      std::vector<std::int64_t>(begin, begin + classes.numel()), 0);
  std::vector<at::Tensor> values;
  for (std::size_t i = 0; i < model->slots().size(); ++i) {
    values.push_back(in.Get(StrCat(prefix, i)));
  }
  model->Assign(values);
  teachers_.push_back(std::move(model));
}

void TeacherBank::CheckComplete(const std::string& role) const {
  std::vector<int> seen(problem_.class_names.size(), 0);
  for (const auto& teacher : teachers_) {
    for (const std::int64_t c : teacher->classes()) {
      ++seen.at(static_cast<std::size_t>(c));
    }
  }
  for (std::size_t c = 0; c < seen.size(); ++c) {
    if (seen[c] == 1) continue;
    throw DataError(StrCat(
        "teachers '", role, "': class '", problem_.class_names[c], "' has ",
        seen[c], " of them, expected 1; is `parts` the number of the parts?"));
  }
}

at::Tensor TeacherBank::Logits(const at::Tensor& prepared) const {
  const at::NoGradGuard no_grad;
  at::Tensor out;
  for (const auto& teacher : teachers_) {
    const auto logits = teacher->Logits(prepared);
    if (!out.defined()) {
      out =
          at::empty({logits.size(0), problem_.num_classes()}, logits.options());
    }
    out.index_copy_(
        1, at::tensor(teacher->classes(), at::kLong).to(logits.device()),
        logits);
  }
  return out;
}

void TeacherBank::Save(StateWriter& out, const std::string& prefix) const {
  for (std::size_t i = 0; i < teachers_.size(); ++i) {
    std::vector<at::Tensor> values;
    for (const auto& slot : teachers_[i]->slots()) values.push_back(slot.value);
    SaveTeacher(out, StrCat(prefix, i, "/"), teachers_[i]->classes(), values);
  }
}

}  // namespace tailmark
