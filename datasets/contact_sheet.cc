#include "datasets/contact_sheet.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "datasets/font.h"
#include "harness/base/error.h"

namespace tailmark {
namespace {

constexpr int kMargin = 12;
constexpr int kGap = 4;
constexpr int kNameLines = 3;
constexpr int kHeadingScale = 2;
constexpr int kHeadingHeight = kLineHeight * kHeadingScale + 10;
constexpr std::int64_t kMostPixels = 100'000'000;
constexpr Ink kPaper = {250, 250, 248};
constexpr Ink kText = {20, 20, 24};
constexpr Ink kFaint = {96, 96, 104};
constexpr std::uint8_t kGrey = 128;

/// The classes of one group, in order.
struct Section {
  Group group;
  std::vector<std::size_t> classes;
};

std::vector<Section> SectionsOf(const std::vector<ClassInfo>& classes) {
  std::vector<Section> sections;
  for (const Group group : {Group::kHead, Group::kMedium, Group::kTail,
                            Group::kBase, Group::kNovel}) {
    Section section{group, {}};
    for (std::size_t c = 0; c < classes.size(); ++c) {
      if (classes[c].group == group) section.classes.push_back(c);
    }
    if (!section.classes.empty()) sections.push_back(std::move(section));
  }
  return sections;
}

/// Sizes that follow from the options.
struct Layout {
  explicit Layout(const ContactSheetOptions& options)
      : tile(options.tile),
        block_width(options.per_class * (options.tile + kGap) + kMargin),
        block_height(kLineHeight + 4 + options.tile + 4 +
                     kNameLines * kLineHeight + kMargin),
        columns(options.columns) {}

  std::int64_t RowsOf(const Section& section) const {
    return (static_cast<std::int64_t>(section.classes.size()) + columns - 1) /
           columns;
  }
  std::int64_t HeightOf(const std::vector<Section>& sections) const {
    std::int64_t height = kMargin;
    for (const Section& section : sections) {
      height += kHeadingHeight + RowsOf(section) * block_height;
    }
    return height;
  }
  std::int64_t Width() const {
    return kMargin + static_cast<std::int64_t>(columns) * block_width;
  }

  int tile;
  int block_width;
  int block_height;
  int columns;
};

Image Blank(std::int64_t width, std::int64_t height) {
  Image image{.width = static_cast<int>(width),
              .height = static_cast<int>(height)};
  const auto pixels = static_cast<std::size_t>(width * height);
  image.rgb.reserve(pixels * 3);
  for (std::size_t i = 0; i < pixels; ++i) {
    image.rgb.insert(image.rgb.end(), kPaper.begin(), kPaper.end());
  }
  return image;
}

void Paste(const Image& picture, int x, int y, Image& sheet) {
  for (int row = 0; row < picture.height; ++row) {
    const auto to =
        (static_cast<std::ptrdiff_t>(y + row) * sheet.width + x) * 3;
    std::copy_n(picture.Row(row), picture.width * 3, sheet.rgb.begin() + to);
  }
}

// The class of the block first, then the others in order.
std::vector<std::string> NamesUnder(const std::vector<ClassInfo>& classes,
                                    const LabelMatrix& labels, std::int64_t row,
                                    std::size_t first) {
  std::vector<std::string> names = {classes[first].name};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (c != first && labels.Positive(row, static_cast<std::int64_t>(c))) {
      names.push_back(classes[c].name);
    }
  }
  if (names.size() > kNameLines) {
    const auto rest = names.size() - (kNameLines - 1);
    names.resize(kNameLines - 1);
    names.push_back(StrCat("+", rest, " more"));
  }
  return names;
}

std::vector<std::int64_t> RowsShowing(const LabelMatrix& labels,
                                      std::size_t klass, int most) {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0;
       row < labels.rows && rows.size() < static_cast<std::size_t>(most);
       ++row) {
    if (labels.Positive(row, static_cast<std::int64_t>(klass))) {
      rows.push_back(row);
    }
  }
  return rows;
}

/// Paints the blocks of a sheet.
class Painter {
 public:
  Painter(const Dataset& dataset, const Split& split, const LabelMatrix& labels,
          const ContactSheetOptions& options)
      : dataset_(dataset),
        split_(split),
        labels_(labels),
        options_(options),
        layout_(options),
        sections_(SectionsOf(dataset.classes())),
        sheet_(MakeSheet()) {}

  Image Paint() && {
    int y = kMargin;
    for (const Section& section : sections_) {
      PaintHeading(section, y);
      y += kHeadingHeight;
      for (std::size_t i = 0; i < section.classes.size(); ++i) {
        const int column = static_cast<int>(i) % layout_.columns;
        const int row = static_cast<int>(i) / layout_.columns;
        PaintBlock(section.classes[i], kMargin + column * layout_.block_width,
                   y + row * layout_.block_height);
      }
      y += static_cast<int>(layout_.RowsOf(section)) * layout_.block_height;
    }
    return std::move(sheet_);
  }

 private:
  Image MakeSheet() const {
    const std::int64_t width = layout_.Width();
    const std::int64_t height = layout_.HeightOf(sections_);
    if (width * height > kMostPixels) {
      throw ConfigError(StrCat("a contact sheet of ", width, " x ", height,
                               " pixels; expected at most ", kMostPixels,
                               " in all: ask for fewer or smaller pictures"));
    }
    return Blank(width, height);
  }

  void PaintHeading(const Section& section, int y) {
    DrawText(sheet_, kMargin, y,
             StrCat(NameOf(section.group), ": ", section.classes.size(),
                    section.classes.size() == 1 ? " class" : " classes"),
             kHeadingScale, kText);
  }

  void PaintBlock(std::size_t klass, int x, int y) {
    const ClassInfo& info = dataset_.classes()[klass];
    const int width = layout_.block_width - kMargin;
    DrawText(sheet_, x, y,
             FitText(StrCat(info.name, "  n=", info.train_positives), width, 1),
             1, kText);
    y += kLineHeight + 4;
    for (const auto row : RowsShowing(labels_, klass, options_.per_class)) {
      Paste(FitInto(dataset_.LoadImage(split_, row), layout_.tile), x, y,
            sheet_);
      int line = y + layout_.tile + 4;
      for (const auto& name :
           NamesUnder(dataset_.classes(), labels_, row, klass)) {
        DrawText(sheet_, x, line, FitText(name, layout_.tile, 1), 1, kFaint);
        line += kLineHeight;
      }
      x += layout_.tile + kGap;
    }
  }

  const Dataset& dataset_;
  const Split& split_;
  const LabelMatrix& labels_;
  const ContactSheetOptions& options_;
  Layout layout_;
  std::vector<Section> sections_;
  Image sheet_;
};

void RequireBetween(std::string_view what, int value, int lo, int hi) {
  if (value >= lo && value <= hi) return;
  throw ConfigError(StrCat("contact sheet: ", what, " = ", value,
                           " is outside [", lo, ", ", hi, "]"));
}

/// Half-open range of source pixels that one target pixel stands for, never
/// empty.
std::pair<int, int> Covered(int target, int targets, int sources) {
  const auto at = [&](int t) {
    return static_cast<int>(static_cast<std::int64_t>(t) * sources / targets);
  };
  return {at(target), std::max(at(target) + 1, at(target + 1))};
}

}  // namespace

Image FitInto(const Image& image, int side) {
  TM_CHECK(image.width > 0 && image.height > 0 && side > 0);
  const std::int64_t longer = std::max(image.width, image.height);
  const auto scaled = [&](int length) {
    return std::max(1, static_cast<int>(std::int64_t{length} * side / longer));
  };
  const int width = scaled(image.width);
  const int height = scaled(image.height);
  Image out{.width = side, .height = side};
  out.rgb.assign(static_cast<std::size_t>(side) * side * 3, kGrey);
  for (int y = 0; y < height; ++y) {
    const auto [top, bottom] = Covered(y, height, image.height);
    for (int x = 0; x < width; ++x) {
      const auto [left, right] = Covered(x, width, image.width);
      std::array<std::int64_t, 3> sum{};
      for (int row = top; row < bottom; ++row) {
        const std::uint8_t* pixel =
            image.Row(row) + static_cast<std::ptrdiff_t>(left) * 3;
        for (int i = 0; i < (right - left) * 3; ++i) {
          sum[static_cast<std::size_t>(i % 3)] += pixel[i];
        }
      }
      const std::int64_t n =
          static_cast<std::int64_t>(bottom - top) * (right - left);
      const auto at = (static_cast<std::size_t>(y + (side - height) / 2) *
                           static_cast<std::size_t>(side) +
                       static_cast<std::size_t>(x + (side - width) / 2)) *
                      3;
      for (std::size_t channel = 0; channel < 3; ++channel) {
        out.rgb[at + channel] =
            static_cast<std::uint8_t>((sum[channel] + n / 2) / n);
      }
    }
  }
  return out;
}

Image ContactSheet(const Dataset& dataset, const Split& split,
                   const LabelMatrix& labels,
                   const ContactSheetOptions& options) {
  RequireBetween("per_class", options.per_class, 1, 16);
  RequireBetween("tile", options.tile, 32, 512);
  RequireBetween("columns", options.columns, 1, 16);
  TM_CHECK(labels.rows == split.size(), split.name);
  return Painter(dataset, split, labels, options).Paint();
}

}  // namespace tailmark
