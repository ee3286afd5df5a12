#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark {

/// An element as it was opened.
struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;
};

/// Reads HTML as strictly as XML: every element closed in order (but for the
/// void ones), attributes quoted and no two of a name, no bare < or &. Scripts
/// and styles are skipped. Returns what is wrong, "" when nothing is; fills
/// `elements` in order of opening.
std::string CheckMarkup(std::string_view text, std::vector<Element>* elements);

}  // namespace tailmark
