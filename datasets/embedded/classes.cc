#include "datasets/embedded/classes.h"

namespace tailmark::embedded {

// clang-format off
const std::array<ClassSpec, kClasses> kClassTable = {{
    {"person", "human", Context::kStreet, true, Shape::kPerson, Texture::kSolid, Colour::kBlue, 900},
    {"car", "automobile", Context::kStreet, false, Shape::kCar, Texture::kSplit, Colour::kRed, 646},
    {"boat", "ship", Context::kSea, false, Shape::kHull, Texture::kSolid, Colour::kWhite, 472},
    {"mug", "cup", Context::kKitchen, false, Shape::kMug, Texture::kSolid, Colour::kRed, 352},
    {"flower", "blossom", Context::kMeadow, false, Shape::kStar, Texture::kRim, Colour::kPink, 265},
    {"fish", "trout", Context::kSea, false, Shape::kFish, Texture::kRim, Colour::kGrey, 201},
    {"bottle", "flask", Context::kKitchen, true, Shape::kBottle, Texture::kStripes, Colour::kGreen, 155},
    {"street lamp", "lantern", Context::kStreet, false, Shape::kLolly, Texture::kRim, Colour::kYellow, 121},
    {"umbrella", "parasol", Context::kStreet, true, Shape::kUmbrella, Texture::kStripes, Colour::kPurple, 96},
    {"ball", "football", Context::kMeadow, true, Shape::kDisc, Texture::kChecker, Colour::kRed, 76},
    {"buoy", "float", Context::kSea, false, Shape::kBottle, Texture::kSplit, Colour::kRed, 61},
    {"spoon", "ladle", Context::kKitchen, false, Shape::kLolly, Texture::kSolid, Colour::kGrey, 50},
    {"shell", "clam", Context::kSea, false, Shape::kMoon, Texture::kSolid, Colour::kPink, 41},
    {"mushroom", "toadstool", Context::kMeadow, false, Shape::kUmbrella, Texture::kDots, Colour::kRed, 33},
    {"orange", "tangerine", Context::kKitchen, false, Shape::kDisc, Texture::kDots, Colour::kOrange, 28},
    {"shopping basket", "hamper", Context::kStreet, false, Shape::kMug, Texture::kChecker, Colour::kBrown, 22},
    {"van", "truck", Context::kStreet, false, Shape::kCar, Texture::kStripes, Colour::kBlue, 19},
    {"bird", "gull", Context::kMeadow, false, Shape::kFish, Texture::kChecker, Colour::kBlue, 16},
    {"plate", "dish", Context::kKitchen, false, Shape::kRing, Texture::kSolid, Colour::kWhite, 13},
    {"yacht", "sailboat", Context::kSea, false, Shape::kHull, Texture::kStripes, Colour::kBlue, 11},
    {"starfish", "seastar", Context::kSea, false, Shape::kStar, Texture::kDots, Colour::kOrange, 9},
    {"tyre", "wheel", Context::kStreet, false, Shape::kRing, Texture::kChecker, Colour::kBlack, 8},
    {"croissant", "pastry", Context::kKitchen, false, Shape::kMoon, Texture::kStripes, Colour::kBrown, 7},
    {"scarecrow", "dummy", Context::kMeadow, false, Shape::kPerson, Texture::kChecker, Colour::kYellow, 6},
}};

const std::array<Rgb, kColours> kPalette = {{
    {200, 40, 40},   {232, 132, 30},  {226, 206, 50}, {50, 150, 60},
    {40, 170, 170},  {50, 80, 205},   {130, 60, 170}, {232, 122, 172},
    {130, 84, 44},   {232, 232, 226}, {130, 130, 130}, {36, 36, 42},
}};
// clang-format on

std::string_view NameOf(Colour colour) {
  constexpr std::array<std::string_view, kColours> kNames = {
      "red",    "orange", "yellow", "green", "teal", "blue",
      "purple", "pink",   "brown",  "white", "grey", "black"};
  return kNames[static_cast<std::size_t>(colour)];
}

std::string_view NameOf(Context context) {
  constexpr std::array<std::string_view, kContexts> kNames = {
      "kitchen", "street", "sea", "meadow"};
  return kNames[static_cast<std::size_t>(context)];
}

std::string_view PlaceOf(Context context) {
  constexpr std::array<std::string_view, kContexts> kPlaces = {
      "in the kitchen", "in the street", "at the sea", "in the meadow"};
  return kPlaces[static_cast<std::size_t>(context)];
}

int Affinity(int klass, Context context) {
  const ClassSpec& spec = kClassTable[static_cast<std::size_t>(klass)];
  if (spec.context == context) return 16;
  return spec.anywhere ? 8 : 1;
}

}  // namespace tailmark::embedded
