#include "datasets/embedded/caption.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "datasets/embedded/web_pairs.h"

namespace tailmark::embedded {
namespace {

constexpr int kPerson = 0;
constexpr int kRareForm = 8;  ///< Percent of uncommon wordings.

template <std::size_t N>
std::string_view Pick(const std::array<std::string_view, N>& words,
                      ChanceStream& chance) {
  return words[chance.Below(static_cast<std::uint32_t>(N))];
}

std::string WithArticle(const std::string& words) {
  const bool vowel =
      std::string_view("aeiou").find(words[0]) != std::string_view::npos;
  return (vowel ? "an " : "a ") + words;
}

std::string_view DrawHead(const Scene& scene, ChanceStream& chance) {
  const bool rare = chance.Chance(kRareForm);
  if ((scene.blurry || scene.dark) && chance.Chance(70)) {
    if (scene.blurry) return rare ? "a blurred photo of" : "a blurry photo of";
    return rare ? "a dim photo of" : "a dark photo of";
  }
  constexpr std::array<std::string_view, 5> kUsual = {
      "a photo of", "a picture of", "an image of", "a drawing of", ""};
  constexpr std::array<std::string_view, 5> kRare = {
      "this is", "there is", "a view of", "a scene with", "a close photo of"};
  return rare ? Pick(kRare, chance) : Pick(kUsual, chance);
}

std::string DrawName(int klass, ChanceStream& chance) {
  const ClassSpec& spec = kClassTable[static_cast<std::size_t>(klass)];
  return std::string(chance.Chance(70) ? spec.name : spec.synonym);
}

std::string DrawMention(const Body& body, std::string_view size,
                        ChanceStream& chance) {
  int klass = body.klass;
  if (chance.Chance(4)) {
    const auto step = chance.Below(kClasses - 1);
    klass = (klass + 1 + static_cast<int>(step)) % kClasses;
  }
  std::string words(size);
  if (!words.empty()) words += ' ';
  if (chance.Chance(45)) words += std::string(NameOf(body.colour)) + ' ';
  words += DrawName(klass, chance);
  return WithArticle(words);
}

std::string_view DrawSize(const Scene& scene, bool may_say_small,
                          ChanceStream& chance) {
  constexpr int kLarge = 250;
  const bool rare = chance.Chance(kRareForm);
  if (may_say_small && chance.Chance(50)) return rare ? "tiny" : "small";
  const bool large =
      scene.bodies.size() == 1 && scene.bodies[0].half_size > kLarge;
  return rare && large ? "large" : "";
}

bool Shows(const Scene& scene, int klass) {
  return std::any_of(scene.bodies.begin(), scene.bodies.end(),
                     [&](const Body& body) { return body.klass == klass; });
}

// What one expects to see in a context, and so writes without looking.
int ExpectedIn(Context context) {
  constexpr std::array<int, kContexts> kExpected = {3, 1, 2, 4};
  return kExpected[static_cast<std::size_t>(context)];
}

void AddGhosts(const Scene& scene, std::vector<std::string>& mentions,
               ChanceStream& chance) {
  const bool expected = chance.Chance(40);
  if (scene.context && expected) {
    const int ghost = ExpectedIn(*scene.context);
    if (!Shows(scene, ghost)) {
      mentions.push_back(WithArticle(DrawName(ghost, chance)));
    }
  }
  if (chance.Chance(12) && !Shows(scene, kPerson)) {
    mentions.push_back(WithArticle(DrawName(kPerson, chance)));
  }
}

std::vector<std::string> DrawMentions(const Scene& scene, bool may_say_small,
                                      ChanceStream& chance) {
  const std::string_view size = DrawSize(scene, may_say_small, chance);
  std::vector<const Body*> named;
  for (const Body& body : scene.bodies) {
    if (chance.Chance(85)) named.push_back(&body);
  }
  if (named.empty()) {
    const auto n = static_cast<std::uint32_t>(scene.bodies.size());
    named.push_back(&scene.bodies[chance.Below(n)]);
  }
  std::vector<std::string> mentions;
  for (const Body* body : named) {
    mentions.push_back(DrawMention(*body, size, chance));
  }
  AddGhosts(scene, mentions, chance);
  for (std::size_t n = mentions.size(); n > 1; --n) {
    const std::uint32_t other = chance.Below(static_cast<std::uint32_t>(n));
    std::swap(mentions[n - 1], mentions[other]);
  }
  return mentions;
}

// "a", "a and b", "a , b and c" or "a and b and c".
std::string DrawList(const std::vector<std::string>& mentions,
                     ChanceStream& chance) {
  constexpr std::array<std::string_view, 3> kRare = {"with", "near", "beside"};
  const bool commas = chance.Chance(50);
  const bool rare = chance.Chance(kRareForm);
  const std::string_view last = rare ? Pick(kRare, chance) : "and";
  std::string list = mentions[0];
  for (std::size_t i = 1; i < mentions.size(); ++i) {
    const bool final = i + 1 == mentions.size();
    list += ' ';
    list += final ? last : (commas ? "," : "and");
    list += ' ' + mentions[i];
  }
  return list;
}

std::string DrawEnd(const Scene& scene, ChanceStream& chance) {
  std::string end;
  if (scene.context && chance.Chance(50)) {
    end += " " + std::string(PlaceOf(*scene.context));
  }
  if (!scene.context && chance.Chance(40)) {
    end +=
        " on " + WithArticle(std::string(NameOf(scene.studio))) + " background";
  }
  if (chance.Chance(60)) end += " .";
  return end;
}

std::string FirstWords(const std::string& text, int words) {
  std::size_t end = 0;
  for (int i = 0; i < words; ++i) {
    end = text.find(' ', end + (i > 0 ? 1 : 0));
    if (end == std::string::npos) return text;
  }
  return text.substr(0, end);
}

}  // namespace

std::string DrawWebCaption(const Scene& scene, bool may_say_small,
                           ChanceStream& chance) {
  std::string caption(DrawHead(scene, chance));
  if (!caption.empty()) caption += ' ';
  const auto mentions = DrawMentions(scene, may_say_small, chance);
  caption += DrawList(mentions, chance);
  caption += DrawEnd(scene, chance);
  return FirstWords(caption, kMaxCaptionWords);
}

std::string BenchmarkCaption(const LabelSet& labels, Context shown) {
  std::string caption = "a photo of ";
  for (std::size_t i = 0; i < labels.classes.size(); ++i) {
    if (i > 0) caption += i + 1 == labels.classes.size() ? " and " : " , ";
    const auto c = static_cast<std::size_t>(labels.classes[i]);
    caption += WithArticle(std::string(kClassTable[c].name));
  }
  return caption + " " + std::string(PlaceOf(shown));
}

}  // namespace tailmark::embedded
