#include "methods/zero_shot_clip/templates.h"

#include <algorithm>
#include <map>

#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

using Texts = std::vector<std::string>;

// LMPT's zero-shot script keeps [:76] of the joined text.
constexpr int kLmptCut = 76;

const std::map<std::string, TextVariant>& NamedVariants() {
  static const std::map<std::string, TextVariant> kVariants = {
      {"single", {.templates = {"a photo of a {}."}}},
      {"plain", {.templates = {"a photo of a {}"}}},
      {"ensemble-8",
       {.templates = {"a photo of a {}.", "a picture of a {}.",
                      "an image of a {}.", "a drawing of a {}.",
                      "a blurry photo of a {}.", "a dark photo of a {}.",
                      "a photo of a small {}.", "a {}."}}},
      {"imagenet-80", {.templates = ImageNetTemplates()}},
      {"lmpt-concat", {.templates = ImageNetTemplates(), .cut = kLmptCut}}};
  return kVariants;
}

Texts Names() {
  Texts names;
  for (const auto& [name, variant] : NamedVariants()) names.push_back(name);
  return names;
}

std::string Filled(std::string text, const std::string& name) {
  for (std::size_t at = text.find("{}"); at != std::string::npos;
       at = text.find("{}", at + name.size())) {
    text.replace(at, 2, name);
  }
  return text;
}

/// The first `most` characters of UTF-8.
std::string Cut(const std::string& text, int most) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    if (begins && most-- == 0) break;
  }
  return text.substr(0, at);
}

}  // namespace

NameStyle NameStyleOf(std::string_view word) {
  if (word == "underscore") return NameStyle::kUnderscore;
  if (word == "first-word") return NameStyle::kFirstWord;
  TM_CHECK(word == "space", "no such style of names");
  return NameStyle::kSpace;
}

std::string Written(std::string name, NameStyle style) {
  // Lists of class names spell blanks either way.
  const char blank = style == NameStyle::kUnderscore ? '_' : ' ';
  std::replace(name.begin(), name.end(), blank == ' ' ? '_' : ' ', blank);
  if (style == NameStyle::kFirstWord) name = name.substr(0, name.find(' '));
  return name;
}

TextVariant TextVariantOf(const std::string& value) {
  if (const auto found = NamedVariants().find(value);
      found != NamedVariants().end()) {
    return found->second;
  }
  TextVariant variant;
  for (std::size_t from = 0; from <= value.size();) {
    const std::size_t bar = std::min(value.find('|', from), value.size());
    std::string text = value.substr(from, bar - from);
    text.erase(0, text.find_first_not_of(' '));
    text.erase(text.find_last_not_of(' ') + 1);
    from = bar + 1;
    if (text.find("{}") == std::string::npos) {
      std::string names;
      for (const std::string& name : Names()) {
        names += (names.empty() ? "" : "|") + name;
      }
      const std::string near = Nearest(value, Names());
      throw ConfigError(
          StrCat("option 'templates' = '", value, "': '", text,
                 "' has no {} for the class name and is not ", names,
                 near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
    variant.templates.push_back(std::move(text));
  }
  return variant;
}

Texts TextsOf(const TextVariant& variant, const std::string& class_name,
              NameStyle style) {
  const std::string name = Written(class_name, style);
  Texts texts;
  for (const std::string& text : variant.templates) {
    texts.push_back(Filled(text, name));
  }
  if (variant.cut == 0) return texts;
  std::string joined;
  for (const std::string& text : texts) {
    joined += (joined.empty() ? "" : " ") + text;
  }
  return {Cut(joined, variant.cut)};
}

}  // namespace tailmark
