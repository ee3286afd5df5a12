#include <simdjson.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "datasets/fetch/annotations.h"
#include "harness/base/error.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

namespace od = simdjson::ondemand;

constexpr std::uintmax_t kMostBytes = std::uintmax_t{4000} << 20;

/// A box that counts.
struct Box {
  std::int64_t image = 0;
  std::int64_t category = 0;

  friend auto operator<=>(const Box&, const Box&) =
      default;  // NOLINT(modernize-use-nullptr): not of <=>
};

struct Category {
  std::int64_t id = -1;
  std::string name;
};

/// The parts of a file as they come.
struct Parts {
  std::vector<std::pair<std::int64_t, std::string>> images;
  std::vector<Category> categories;
  std::vector<Box> boxes;
};

void ReadImages(od::array array, Parts& parts) {
  for (auto element : array) {
    std::int64_t id = -1;
    std::string_view name;
    for (auto field : element.get_object()) {
      const auto key = field.key().value();
      if (key == "id") {
        id = field.value().get_int64();
      } else if (key == "file_name") {
        name = field.value().get_string();
      }
    }
    if (id < 0 || name.empty()) {
      throw DataError("an image without id or file_name");
    }
    name = name.substr(name.rfind('/') + 1);
    parts.images.emplace_back(id, name.substr(0, name.rfind('.')));
  }
}

void ReadCategories(od::array array, Parts& parts) {
  for (auto element : array) {
    Category category;
    for (auto field : element.get_object()) {
      const auto key = field.key().value();
      if (key == "id") {
        category.id = field.value().get_int64();
      } else if (key == "name") {
        category.name = std::string_view(field.value().get_string());
      }
    }
    if (category.id < 0 || category.name.empty()) {
      throw DataError("a category without id or name");
    }
    parts.categories.push_back(std::move(category));
  }
}

// Width and height of [x, y, width, height].
bool BigEnough(od::array bbox) {
  std::size_t place = 0;
  bool big = true;
  for (auto number : bbox) {
    const double value = number.get_double();
    if (place >= 2) big = big && value >= 1;
    ++place;
  }
  if (place != 4) throw DataError("a bbox that has not four numbers");
  return big;
}

void ReadBoxes(od::array array, const CocoRule& rule, Parts& parts) {
  for (auto element : array) {
    Box box{.image = -1, .category = -1};
    bool counts = true;
    for (auto field : element.get_object()) {
      const auto key = field.key().value();
      if (key == "image_id") {
        box.image = field.value().get_int64();
      } else if (key == "category_id") {
        box.category = field.value().get_int64();
      } else if (key == "bbox") {
        counts = BigEnough(field.value().get_array()) && counts;
      } else if (key == "area" && rule.area) {
        counts = double(field.value().get_double()) > 0 && counts;
      } else if (key == "iscrowd" && !rule.crowd) {
        counts = std::int64_t(field.value().get_int64()) == 0 && counts;
      }
    }
    if (box.image < 0 || box.category < 0) {
      throw DataError("an annotation without image_id or category_id");
    }
    if (counts) parts.boxes.push_back(box);
  }
}

Parts ReadParts(od::document& document, const CocoRule& rule) {
  Parts parts;
  for (auto field : document.get_object()) {
    const auto key = field.key().value();
    if (key == "images") {
      ReadImages(field.value().get_array(), parts);
    } else if (key == "categories") {
      ReadCategories(field.value().get_array(), parts);
    } else if (key == "annotations") {
      ReadBoxes(field.value().get_array(), rule, parts);
    }
  }
  if (parts.images.empty() || parts.categories.empty()) {
    throw DataError(
        "no images or no categories; expected an official "
        "instances_*.json");
  }
  return parts;
}

Annotations Join(Parts parts) {
  std::sort(parts.categories.begin(), parts.categories.end(),
            [](const Category& a, const Category& b) { return a.id < b.id; });
  std::unordered_map<std::int64_t, std::uint16_t> class_of;
  Annotations out;
  for (Category& category : parts.categories) {
    const auto index = static_cast<std::uint16_t>(out.classes.size());
    if (!class_of.emplace(category.id, index).second || index == 0xffff) {
      throw DataError(StrCat("category ", category.id, " is there twice"));
    }
    out.classes.push_back(std::move(category.name));
  }
  std::unordered_map<std::int64_t, std::size_t> place_of;
  place_of.reserve(parts.images.size());
  for (auto& [id, name] : parts.images) {
    if (!place_of.emplace(id, out.images.size()).second) {
      throw DataError(StrCat("image ", id, " is there twice"));
    }
    out.images.push_back({.name = std::move(name)});
  }
  std::sort(parts.boxes.begin(), parts.boxes.end());
  const auto last = std::unique(parts.boxes.begin(), parts.boxes.end());
  for (auto it = parts.boxes.begin(); it != last; ++it) {
    const auto place = place_of.find(it->image);
    const auto klass = class_of.find(it->category);
    if (place == place_of.end() || klass == class_of.end()) {
      throw DataError(StrCat("an annotation of image ", it->image,
                             " and category ", it->category,
                             ", one of which is not in the file"));
    }
    out.images[place->second].classes.push_back(klass->second);
  }
  return out;
}

/// Parses an official file and gives it to `read`; errors get file and byte.
template <class Read>
auto ReadDocument(const fs::path& file, const Read& read) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error) throw DataError(StrCat(file.string(), ": ", error.message()));
  if (size > kMostBytes) {
    throw DataError(StrCat(file.string(), ": ", size,
                           " bytes, expected at most ", kMostBytes));
  }
  simdjson::padded_string text;
  if (simdjson::padded_string::load(file.string()).get(text) !=
      simdjson::SUCCESS) {
    throw DataError(StrCat(file.string(), ": cannot be read"));
  }
  od::parser parser;
  od::document document;
  bool begun = false;
  const auto where = [&]() -> std::string {
    if (!begun) return "";  // A document without a parser has no place.
    const char* at = nullptr;
    if (document.current_location().get(at) != simdjson::SUCCESS) return "";
    return StrCat("byte ", at - text.data(), ": ");
  };
  try {
    document = parser.iterate(text);
    begun = true;
    return read(document);
  } catch (const simdjson::simdjson_error& broken) {
    throw DataError(StrCat(file.string(), ": ", where(), broken.what()));
  } catch (const DataError& wrong) {
    throw DataError(StrCat(file.string(), ": ", where(), wrong.what()));
  }
}

using ImageCaption = std::pair<std::int64_t, std::string>;

// Blanks of any kind become one; none at the ends.
std::string SingleBlanks(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

void ReadCaptionList(od::array array, std::vector<ImageCaption>& captions) {
  for (auto element : array) {
    ImageCaption caption{-1, ""};
    for (auto field : element.get_object()) {
      const auto key = field.key().value();
      if (key == "image_id") {
        caption.first = field.value().get_int64();
      } else if (key == "caption") {
        caption.second =
            SingleBlanks(std::string_view(field.value().get_string()));
      }
    }
    if (caption.first < 0 || caption.second.empty()) {
      throw DataError("an annotation without image_id or caption");
    }
    captions.push_back(std::move(caption));
  }
}

std::unordered_map<std::string, std::string> JoinCaptions(
    od::document& document) {
  Parts parts;
  std::vector<ImageCaption> captions;
  for (auto field : document.get_object()) {
    const auto key = field.key().value();
    if (key == "images") {
      ReadImages(field.value().get_array(), parts);
    } else if (key == "annotations") {
      ReadCaptionList(field.value().get_array(), captions);
    }
  }
  if (parts.images.empty() || captions.empty()) {
    throw DataError(
        "no images or no captions; expected an official captions_*.json");
  }
  std::unordered_map<std::int64_t, std::string> of_image;
  for (const auto& [id, caption] : captions) {
    std::string& all = of_image[id];
    all += StrCat(all.empty() ? "" : " ", caption);
  }
  std::unordered_map<std::string, std::string> by_name;
  for (const auto& [id, name] : parts.images) {
    const auto it = of_image.find(id);
    if (it != of_image.end()) by_name[name] = it->second;
  }
  return by_name;
}

}  // namespace

Annotations ReadCocoAnnotations(const fs::path& file, const CocoRule& rule) {
  return ReadDocument(file, [&](od::document& document) {
    return Join(ReadParts(document, rule));
  });
}

std::unordered_map<std::string, std::string> ReadCocoCaptions(
    const fs::path& file) {
  return ReadDocument(file, JoinCaptions);
}

}  // namespace tailmark::fetch
