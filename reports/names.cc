#include "reports/names.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "harness/base/error.h"

namespace tailmark {
namespace {

/// Names that a rule would get wrong.
constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    {"cocoop", "CoCoOp"},
    {"coop", "CoOp"},
    {"finetune_clip", "Fine-tuned CLIP"},
    {"hpdval", "HP-DVAL"},
    {"hp_dval", "HP-DVAL"},
    {"lmpt", "LMPT"},
    {"ml_vpt", "ML-VPT"},
    {"psd", "PSD"},
    {"zero_shot_clip", "Zero-shot CLIP"}};

std::vector<std::string_view> Words(std::string_view text, char separator) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const auto end = text.find(separator);
    if (end != 0) words.push_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return words;
}

/// Whether a row's word is another method's name: a zero-shot row called
/// "hpdval" after the preset it takes is not HP-DVAL.
bool IsAnotherMethod(std::string_view word, std::string_view method) {
  const std::string_view stem = word.substr(0, word.find_first_of("-:"));
  return !method.empty() &&
         std::any_of(
             std::begin(kNames), std::end(kNames), [&](const auto& each) {
               return each.first == stem && each.second != HumanName(method);
             });
}

/// Whether a path may begin behind this character.
bool EndsWord(char c) {
  return std::string_view(" \t\n=:,;'\"(<[|").find(c) != std::string_view::npos;
}

}  // namespace

std::string HumanName(std::string_view method) {
  for (const auto& [name, human] : kNames) {
    if (name == method) return std::string(human);
  }
  std::string out(method);
  for (char& c : out) c = c == '_' ? ' ' : c;
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z')
    out[0] = static_cast<char>(out[0] - 32);
  return out;
}

RowNames NamesOfRow(std::string_view label, std::string_view method) {
  const auto words = Words(label, ' ');
  if (words.empty()) return {HumanName(method), HumanName(method)};
  std::string_view first = words.front();
  RowNames names;
  if (!method.empty() && first.starts_with(method) &&
      (first.size() == method.size() || first[method.size()] == '-' ||
       first[method.size()] == ':')) {
    names.label = HumanName(method);
    names.short_label = names.label;
    first.remove_prefix(std::min(first.size(), method.size() + 1));
    if (!first.empty()) {
      names.label += StrCat(", ", first);
      names.short_label += StrCat(" ", first);
    }
  } else if (IsAnotherMethod(first, method)) {
    names.label = StrCat(HumanName(method), ", ", first);
    names.short_label = StrCat(HumanName(method), " ", first);
  } else {
    names.label = HumanName(first);
    names.short_label = names.label;
  }
  for (std::size_t i = 1; i < words.size(); ++i) {
    names.label += StrCat(", ", words[i]);
    const auto equals = words[i].find('=');
    names.short_label += StrCat(
        " ", equals == words[i].npos ? words[i] : words[i].substr(equals + 1));
  }
  return names;
}

std::string WithoutPaths(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool starts = text[at] == '/' && (at == 0 || EndsWord(text[at - 1]));
    if (!starts) {
      out += text[at++];
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && !EndsWord(text[end])) ++end;
    std::string_view path = text.substr(at, end - at);
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    out += path.substr(path.rfind('/') + (path.size() > 1 ? 1 : 0));
    at = end;
  }
  return out;
}

}  // namespace tailmark
