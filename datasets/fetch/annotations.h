#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/lists/list_files.h"

namespace tailmark::fetch {

/// Which annotated boxes make a class positive. Boxes with a side below 1 are
/// always left out.
struct CocoRule {
  bool crowd = true;  ///< Those of crowds count.
  bool area = true;   ///< Those with an area of 0 or less are left out.
};
/// "coco-boxes/1": what COCO-LT's labels were made by.
inline constexpr CocoRule kCocoBoxes = {.crowd = true, .area = true};
/// "coco-objects/1": what the few-shot splits were made by.
inline constexpr CocoRule kCocoObjects = {.crowd = false, .area = false};

/// How the labels of a data set were made from its annotations (its README has
/// the rule's name).
struct LabelRule {
  CocoRule coco = kCocoBoxes;
  /// "voc-clear/1": a class whose objects are all difficult is negative.
  bool clear = false;
  /// False: which images the supports are is itself taken from annotations, and
  /// their labels are compared then (coco_fewshot/train2014.h).
  bool supports = true;
};
/// Of a built-in data set.
LabelRule LabelRuleOf(std::string_view dataset);

/// One image of an annotation source.
struct AnnotatedImage {
  std::string name;                    ///< File name without its ending.
  std::vector<std::uint16_t> classes;  ///< Into `classes`, sorted, once each.
  /// Those of `classes` whose objects are all marked difficult (VOC).
  std::vector<std::uint16_t> difficult;
};

struct Annotations {
  std::vector<std::string> classes;    ///< COCO: sorted by category id.
  std::vector<AnnotatedImage> images;  ///< COCO: in the file's order.
};

/// Bytes of an official JSON file that are read at a time: what comes of them
/// stays in the processor's caches.
inline constexpr std::size_t kAnnotationPiece = std::size_t{1} << 18;

/// Reads an official instances_*.json in one pass (simdjson, on demand), parts
/// of the file in any order, `piece` bytes at a time. Throws DataError naming
/// file and byte.
Annotations ReadCocoAnnotations(const std::filesystem::path& file,
                                const CocoRule& rule,
                                std::size_t piece = kAnnotationPiece);

/// Images and labels as a list has them; paths are `folder` NAME.jpg.
lists::LabelledImages ToLabelledImages(const Annotations& annotations,
                                       const std::string& folder);

/// Captions of each image of an official captions_*.json, by file name without
/// its ending: those of an image in the file's order, blanks made single, and
/// joined by one. Throws DataError.
std::unordered_map<std::string, std::string> ReadCocoCaptions(
    const std::filesystem::path& file, std::size_t piece = kAnnotationPiece);

/// Reads one VOC XML annotation; names of classes go to `into.classes`. Throws
/// DataError naming the file.
void ReadVocAnnotation(const std::filesystem::path& file, Annotations& into);

/// Leaves out the classes whose objects are all difficult.
void DropDifficult(Annotations& annotations);

/// Throws DataError "NAME: ..." unless `xml` is a VOC annotation.
void RequireVocAnnotation(std::string_view xml, const std::string& name);

/// A committed label that annotations do not bear out, or the reverse.
struct LabelDifference {
  std::string path;
  std::string klass;
  std::string committed;  ///< "positive", "difficult" or "negative".
  std::string annotated;
};

struct LabelCheck {
  std::int64_t images = 0;   ///< Compared.
  std::int64_t labels = 0;   ///< Cells compared.
  std::int64_t unknown = 0;  ///< Images that no annotation speaks of.
  std::vector<LabelDifference> differences;
};

/// Compares the labels of a split with annotations, by name of image and class.
/// A class that the annotations never name is negative there. `labels.known`
/// 0 with positive 1 is difficult, with positive 0 it is not compared; without
/// `known`, difficult counts as positive.
LabelCheck CheckLabels(const Split& split, const LabelMatrix& labels,
                       std::span<const ClassInfo> classes,
                       const Annotations& annotations);

}  // namespace tailmark::fetch
