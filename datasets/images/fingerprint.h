#pragma once

#include <string>
#include <vector>

namespace tailmark {

/// A file that decoders disagree about.
struct AwkwardPicture {
  std::string name;   ///< "jpeg-cmyk", ...
  std::string bytes;  ///< The file.
};

/// Small pictures made from integers: grey, CMYK, YCCK, RGB, progressive,
/// subsampled at odd sizes, with restart markers or a rotation tag, one pixel,
/// slivers, 16-bit, palette, transparent, interlaced.
std::vector<AwkwardPicture> AwkwardPictures();

/// SHA-256 over the tensors that decoding, resizing (each shape and filter) and
/// normalising make of AwkwardPictures(). Stored with every run: where two
/// differ, the pipelines of the two machines do, and scores are not compared
/// bit by bit. 64 hex digits; some 10 ms.
std::string PipelineFingerprint();

}  // namespace tailmark
