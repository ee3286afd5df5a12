#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tailmark {

/// How a class name is written in a text.
enum class NameStyle {
  kSpace,       ///< "traffic light"
  kUnderscore,  ///< "traffic_light"
  kFirstWord    ///< "traffic": what LMPT's released loader keeps of it
};
/// "space", "underscore", "first-word". REQUIRES: one of these.
NameStyle NameStyleOf(std::string_view word);
std::string Written(std::string name, NameStyle style);

/// The texts that stand for a class.
struct TextVariant {
  std::vector<std::string> templates;  ///< With {} for the class name.
  /// All templates in one text, joined by blanks and cut after this many
  /// characters; 0: each is a text of its own, their features averaged.
  int cut = 0;
};

/// The 80 texts that CLIP's authors use for ImageNet (github.com/openai/CLIP,
/// notebooks/Prompt_Engineering_for_ImageNet.ipynb), in their order.
const std::vector<std::string>& ImageNetTemplates();

/// What a value of option `templates` means. Throws ConfigError for a text
/// without {} that is no name.
TextVariant TextVariantOf(const std::string& value);

/// The texts of one class; one when they are joined.
std::vector<std::string> TextsOf(const TextVariant& variant,
                                 const std::string& class_name,
                                 NameStyle style);

}  // namespace tailmark
