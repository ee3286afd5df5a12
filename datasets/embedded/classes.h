#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tailmark::embedded {

/// Where a class is usually seen.
enum class Context : std::uint8_t { kKitchen, kStreet, kSea, kMeadow };
inline constexpr int kContexts = 4;

/// Outlines. Each serves two classes, which differ in texture only.
enum class Shape : std::uint8_t {
  kPerson,
  kCar,
  kHull,
  kMug,
  kStar,
  kFish,
  kBottle,
  kLolly,
  kUmbrella,
  kDisc,
  kMoon,
  kRing
};

/// Where an object shows its second colour.
enum class Texture : std::uint8_t {
  kSolid,
  kSplit,
  kRim,
  kStripes,
  kChecker,
  kDots
};

enum class Colour : std::uint8_t {
  kRed,
  kOrange,
  kYellow,
  kGreen,
  kTeal,
  kBlue,
  kPurple,
  kPink,
  kBrown,
  kWhite,
  kGrey,
  kBlack
};
inline constexpr int kColours = 12;

struct Rgb {
  int r = 0;
  int g = 0;
  int b = 0;
};

/// One of the 24 classes.
struct ClassSpec {
  std::string_view name;
  std::string_view synonym;
  Context context;
  bool anywhere;  ///< Also at home in the other contexts.
  Shape shape;
  Texture texture;
  Colour colour;    ///< Typical, not defining.
  int train_count;  ///< Positives in the long-tailed training split.
};

inline constexpr int kClasses = 24;
/// Most frequent first: n_r = 900 (1 + 0.05674 r)^-6, the Pareto law by which
/// COCO-LT was cut, as literals so that no pow() decides about a picture.
extern const std::array<ClassSpec, kClasses> kClassTable;

/// Rgb of each Colour.
extern const std::array<Rgb, kColours> kPalette;

std::string_view NameOf(Colour colour);    ///< "red", ...
std::string_view NameOf(Context context);  ///< "kitchen", ...
/// "in the kitchen", "at the sea".
std::string_view PlaceOf(Context context);

/// How readily a class joins others in a context: 16 at home, 8 anywhere, else
/// 1.
int Affinity(int klass, Context context);

}  // namespace tailmark::embedded
