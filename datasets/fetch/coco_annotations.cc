#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "datasets/fetch/annotations.h"
#include "datasets/fetch/json_arrays.h"
#include "harness/base/error.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

namespace od = simdjson::ondemand;

/// A box that counts.
struct Box {
  std::int64_t image = 0;
  std::int64_t category = 0;
};

struct Category {
  std::int64_t id = -1;
  std::string name;
};

using ImageCaption = std::pair<std::int64_t, std::string>;

/// The parts of a file as they come.
struct Parts {
  std::vector<std::pair<std::int64_t, std::string>> images;
  std::vector<Category> categories;
  std::vector<Box> boxes;
  std::vector<ImageCaption> captions;
};

template <class Part>
void Append(std::vector<Part>& more, std::vector<Part>& all) {
  all.insert(all.end(), std::make_move_iterator(more.begin()),
             std::make_move_iterator(more.end()));
  more.clear();
}

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

/// Parses pieces of arrays.
class PieceParser {
 public:
  /// Gives the array to `read`; where it ended (json_arrays.h).
  template <class Read>
  std::size_t Parse(const ArrayPiece& piece, const Read& read) {
    od::document document;
    bool begun = false;
    const auto where = [&]() -> std::string {
      if (!begun) return "";  // A document without a parser has no place.
      const std::size_t at = Next(document, piece.json);
      return at == piece.json.size()
                 ? ""
                 : StrCat("byte ", piece.place + at - 1, ": ");
    };
    try {
      document = parser_.iterate(piece.json, piece.allocated);
      begun = true;
      read(document.get_array());
    } catch (const simdjson::simdjson_error& broken) {
      throw DataError(where() + broken.what());
    } catch (const DataError& wrong) {
      throw DataError(where() + wrong.what());
    }
    return Next(document, piece.json);
  }

 private:
  static std::size_t Next(od::document& document, std::string_view json) {
    const char* at = nullptr;
    if (document.current_location().get(at) != simdjson::SUCCESS) {
      return json.size();
    }
    return static_cast<std::size_t>(at - json.data());
  }

  od::parser parser_;
};

/// Gives the elements of the file's arrays to `read`, with a place for them.
template <class Read>
Parts ReadParts(const fs::path& file, std::size_t piece, const Read& read) {
  Parts all;
  Parts some;
  PieceParser parser;
  ReadArrays(file, piece,
             {.read =
                  [&](const ArrayPiece& each) {
                    some = {};
                    return parser.Parse(each, [&](od::array array) {
                      read(each.key, array, some);
                    });
                  },
              .keep =
                  [&] {
                    Append(some.images, all.images);
                    Append(some.categories, all.categories);
                    Append(some.boxes, all.boxes);
                    Append(some.captions, all.captions);
                  }});
  return all;
}

void SkipElements(od::array array) {
  for (auto element : array) (void)element.value();
}

/// The places of numbers in a list, in one block of memory: a file has a
/// hundred thousand ids, asked for a million times.
class Places {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  explicit Places(std::size_t count)
      : slots_(std::bit_ceil(2 * count + 2)),
        shift_(64 - std::countr_zero(slots_.size())) {}
  /// False: it is there already.
  bool Add(std::int64_t id, std::uint32_t place) {
    Slot& slot = slots_[At(id)];
    if (slot.place != kNone) return false;
    slot = {id, place};
    return true;
  }
  std::uint32_t Find(std::int64_t id) const { return slots_[At(id)].place; }

 private:
  struct Slot {
    std::int64_t id = 0;
    std::uint32_t place = kNone;
  };
  /// Where it is, or would be.
  std::size_t At(std::int64_t id) const {
    constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;
    auto at = static_cast<std::size_t>(
        (static_cast<std::uint64_t>(id) * kGolden) >> shift_);
    while (slots_[at].place != kNone && slots_[at].id != id) {
      at = (at + 1) & (slots_.size() - 1);
    }
    return at;
  }

  std::vector<Slot> slots_;
  int shift_;
};

/// By id, into `out`.
Places JoinCategories(std::vector<Category> categories, Annotations& out) {
  std::sort(categories.begin(), categories.end(),
            [](const Category& a, const Category& b) { return a.id < b.id; });
  Places places(categories.size());
  for (Category& category : categories) {
    const std::size_t index = out.classes.size();
    if (!places.Add(category.id, static_cast<std::uint32_t>(index)) ||
        index == 0xffff) {
      throw DataError(StrCat("category ", category.id, " is there twice"));
    }
    out.classes.push_back(std::move(category.name));
  }
  return places;
}

/// A class of an image, by their places.
struct Positive {
  std::uint32_t image = 0;
  std::uint16_t klass = 0;
};

std::vector<Positive> JoinBoxes(const std::vector<Box>& boxes,
                                const Places& images, const Places& classes) {
  std::vector<Positive> positives;
  positives.reserve(boxes.size());
  for (const Box& box : boxes) {
    const std::uint32_t image = images.Find(box.image);
    const std::uint32_t klass = classes.Find(box.category);
    if (image == Places::kNone || klass == Places::kNone) {
      throw DataError(StrCat("an annotation of image ", box.image,
                             " and category ", box.category,
                             ", one of which is not in the file"));
    }
    positives.push_back({image, static_cast<std::uint16_t>(klass)});
  }
  return positives;
}

/// Gives each image its classes, sorted, once each.
void PutClasses(const std::vector<Positive>& positives,
                std::vector<AnnotatedImage>& images) {
  std::vector<std::size_t> ends(images.size() + 1);
  for (const Positive& each : positives) ++ends[each.image + 1];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  std::vector<std::uint16_t> classes(positives.size());
  for (const Positive& each : positives) {
    classes[ends[each.image]++] = each.klass;
  }
  auto begin = classes.begin();
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto end = classes.begin() + static_cast<std::ptrdiff_t>(ends[i]);
    std::sort(begin, end);
    images[i].classes.assign(begin, std::unique(begin, end));
    begin = end;
  }
}

Annotations Join(Parts parts) {
  if (parts.images.empty() || parts.categories.empty()) {
    throw DataError(
        "no images or no categories; expected an official "
        "instances_*.json");
  }
  Annotations out;
  const Places classes = JoinCategories(std::move(parts.categories), out);
  Places images(parts.images.size());
  out.images.reserve(parts.images.size());
  for (auto& [id, name] : parts.images) {
    const auto place = static_cast<std::uint32_t>(out.images.size());
    if (!images.Add(id, place)) {
      throw DataError(StrCat("image ", id, " is there twice"));
    }
    out.images.push_back({.name = std::move(name)});
  }
  PutClasses(JoinBoxes(parts.boxes, images, classes), out.images);
  return out;
}

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

void ReadCaptionList(od::array array, Parts& parts) {
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
    parts.captions.push_back(std::move(caption));
  }
}

std::unordered_map<std::string, std::string> JoinCaptions(const Parts& parts) {
  if (parts.images.empty() || parts.captions.empty()) {
    throw DataError(
        "no images or no captions; expected an official captions_*.json");
  }
  std::unordered_map<std::int64_t, std::string> of_image;
  for (const auto& [id, caption] : parts.captions) {
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

/// `join` of the parts; what is wrong with them is said of the file.
template <class Join>
auto OfFile(const fs::path& file, const Join& join) {
  try {
    return join();
  } catch (const DataError& wrong) {
    throw DataError(StrCat(file.string(), ": ", wrong.what()));
  }
}

}  // namespace

Annotations ReadCocoAnnotations(const fs::path& file, const CocoRule& rule,
                                std::size_t piece) {
  Parts parts = ReadParts(
      file, piece, [&rule](std::string_view key, od::array array, Parts& some) {
        if (key == "images") {
          ReadImages(array, some);
        } else if (key == "categories") {
          ReadCategories(array, some);
        } else if (key == "annotations") {
          ReadBoxes(array, rule, some);
        } else {
          SkipElements(array);
        }
      });
  return OfFile(file, [&parts] { return Join(std::move(parts)); });
}

std::unordered_map<std::string, std::string> ReadCocoCaptions(
    const fs::path& file, std::size_t piece) {
  const Parts parts = ReadParts(
      file, piece, [](std::string_view key, od::array array, Parts& some) {
        if (key == "images") {
          ReadImages(array, some);
        } else if (key == "annotations") {
          ReadCaptionList(array, some);
        } else {
          SkipElements(array);
        }
      });
  return OfFile(file, [&parts] { return JoinCaptions(parts); });
}

}  // namespace tailmark::fetch
