#include <algorithm>
#include <set>

#include "datasets/embedded/caption.h"
#include "datasets/embedded/classes.h"
#include "datasets/embedded/web_pairs.h"

namespace tailmark::embedded {
namespace {

void AddWords(std::string_view text, std::set<std::string>& words) {
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::vector<std::string> MakeVocabulary() {
  std::set<std::string> words;
  for (const ClassSpec& spec : kClassTable) {
    AddWords(spec.name, words);
    AddWords(spec.synonym, words);
  }
  for (int c = 0; c < kColours; ++c) {
    AddWords(NameOf(static_cast<Colour>(c)), words);
  }
  for (int c = 0; c < kContexts; ++c) {
    AddWords(PlaceOf(static_cast<Context>(c)), words);
  }
  for (const std::string_view phrase : kCaptionPhrases) AddWords(phrase, words);
  std::vector<std::string> all = {"<pad>", "<unk>"};
  all.insert(all.end(), words.begin(), words.end());
  all.emplace_back("<start>");
  all.emplace_back("<end>");
  return all;
}

std::vector<std::string> Column(std::string_view ClassSpec::*member) {
  std::vector<std::string> column;
  for (const ClassSpec& spec : kClassTable) column.emplace_back(spec.*member);
  return column;
}

}  // namespace

const std::vector<std::string>& Vocabulary() {
  static const std::vector<std::string> kWords = MakeVocabulary();
  return kWords;
}

const std::vector<std::string>& ClassNames() {
  static const std::vector<std::string> kNames = Column(&ClassSpec::name);
  return kNames;
}

const std::vector<std::string>& Synonyms() {
  static const std::vector<std::string> kNames = Column(&ClassSpec::synonym);
  return kNames;
}

const std::vector<std::string>& ZeroShotTemplates() {
  static const std::vector<std::string> kTemplates = {
      "a photo of a {} .",        "a picture of a {} .",
      "an image of a {} .",       "a drawing of a {} .",
      "a blurry photo of a {} .", "a dark photo of a {} .",
      "a photo of a small {} .",  "a {} ."};
  return kTemplates;
}

}  // namespace tailmark::embedded
