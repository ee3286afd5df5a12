#include <array>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "datasets/folder/csv.h"
#include "datasets/folder/listing.h"
#include "harness/base/error.h"
#include "harness/base/json.h"

namespace tailmark::folder {
namespace {

// What makes up nearly all of an annotation file and says nothing of labels.
constexpr std::array<std::string_view, 6> kSkipped = {
    "segmentation", "bbox", "area", "keypoints", "info", "licenses"};

/// Reads members of the file's arrays and says in errors where it stood.
class Member {
 public:
  Member(const std::string& file, std::string_view array, std::size_t index,
         const Json& json)
      : file_(file), array_(array), index_(index), json_(json) {
    if (!json.is_object()) Fail("", "expected an object");
  }

  std::int64_t Int(std::string_view name) const {
    const auto it = json_.find(name);
    if (it == json_.end()) Fail(name, "is missing");
    if (!it->is_number_integer()) Fail(name, "must be a whole number");
    // A number above the largest int64 wraps round and is then an unknown id.
    return it->get<std::int64_t>();
  }

  std::string Text(std::string_view name, bool required) const {
    const auto it = json_.find(name);
    if (it == json_.end() && !required) return "";
    if (it == json_.end()) Fail(name, "is missing");
    if (!it->is_string()) Fail(name, "must be a string");
    return it->get<std::string>();
  }

  [[noreturn]] void Fail(std::string_view name, std::string_view what) const {
    throw DataError(StrCat(file_, ": ", array_, "[", index_, "]",
                           name.empty() ? "" : ".", name, ": ", what));
  }

 private:
  const std::string& file_;
  std::string_view array_;
  std::size_t index_;
  const Json& json_;
};

const Json& ArrayOf(const Json& file, const std::string& name,
                    std::string_view array) {
  const auto it = file.find(array);
  if (it == file.end() || !it->is_array()) {
    throw DataError(StrCat(name, ": no array '", array,
                           "'; expected images, annotations and categories as "
                           "in a COCO annotation file"));
  }
  return *it;
}

using Categories = std::unordered_map<std::int64_t, std::string>;

Categories ReadCategories(const Json& file, Listing& listing) {
  Categories names;
  const Json& array = ArrayOf(file, listing.name, "categories");
  for (std::size_t i = 0; i < array.size(); ++i) {
    const Member member(listing.name, "categories", i, array[i]);
    std::string name = member.Text("name", true);
    if (!names.emplace(member.Int("id"), name).second) {
      member.Fail("id", "is there twice");
    }
    listing.categories.push_back(std::move(name));
  }
  return names;
}

/// Image id -> place in Listing::images, -1 for one that was left out.
using ImageIds = std::unordered_map<std::int64_t, std::int64_t>;

// False: left out by prefix or by its split.
bool ReadImage(const Member& member, const ListingRules& rules,
               ListedImage& image) {
  image.path = member.Text("file_name", true);
  if (const auto wrong = WhatIsWrongWithPath(image.path); !wrong.empty()) {
    member.Fail("file_name", wrong);
  }
  image.sha256 = member.Text("sha256", false);
  if (const auto wrong = WhatIsWrongWithSha256(image.sha256); !wrong.empty()) {
    member.Fail("sha256", wrong);
  }
  image.role = rules.role.value_or(SplitRole::kTest);
  const std::string word = member.Text("split", false);
  if (!rules.role && !word.empty()) {
    const SplitWord split = SplitFromWord(word);
    if (!split.known) {
      member.Fail("split", StrCat("'", word, "'; expected ", kSplitWords));
    }
    if (!split.role) return false;
    image.role = *split.role;
  }
  return image.path.starts_with(rules.prefix);
}

ImageIds ReadImages(const Json& file, const ListingRules& rules,
                    Listing& listing) {
  ImageIds ids;
  std::unordered_set<std::string> paths;
  const Json& array = ArrayOf(file, listing.name, "images");
  for (std::size_t i = 0; i < array.size(); ++i) {
    const Member member(listing.name, "images", i, array[i]);
    ListedImage image;
    const bool kept = ReadImage(member, rules, image);
    const auto place =
        kept ? static_cast<std::int64_t>(listing.images.size()) : -1;
    if (!ids.emplace(member.Int("id"), place).second) {
      member.Fail("id", "is there twice");
    }
    if (!kept) continue;
    if (!paths.insert(image.path).second) {
      member.Fail("file_name", StrCat("'", image.path, "' is there twice"));
    }
    listing.images.push_back(std::move(image));
  }
  return ids;
}

void ReadAnnotations(const Json& file, const ListingRules& rules,
                     const Categories& categories, const ImageIds& ids,
                     Listing& listing) {
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  const Json& array = ArrayOf(file, listing.name, "annotations");
  for (std::size_t i = 0; i < array.size(); ++i) {
    const Member member(listing.name, "annotations", i, array[i]);
    const auto id = ids.find(member.Int("image_id"));
    if (id == ids.end()) member.Fail("image_id", "names no image");
    const auto category = categories.find(member.Int("category_id"));
    if (category == categories.end()) {
      member.Fail("category_id", "names no category");
    }
    if (id->second < 0) continue;
    ListedImage& image = listing.images[static_cast<std::size_t>(id->second)];
    if (image.role == SplitRole::kTest && !rules.test_labels) continue;
    if (seen.emplace(id->second, category->first).second) {
      image.labels.push_back({category->second, 0});
    }
  }
}

}  // namespace

Listing ReadCocoListing(std::string_view text, const std::string& name,
                        const ListingRules& rules) {
  const Json file = ParseJson(text, name, kSkipped);
  Listing listing{.name = name};
  const Categories categories = ReadCategories(file, listing);
  const ImageIds ids = ReadImages(file, rules, listing);
  ReadAnnotations(file, rules, categories, ids, listing);
  return listing;
}

}  // namespace tailmark::folder
