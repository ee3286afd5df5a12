#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark::fetch {

/// A tar archive that holds images.
struct Archive {
  std::string prefix;      ///< Of the paths that come from it.
  std::int64_t bytes = 0;  ///< About.
  std::vector<std::string> urls;
};

/// A file of annotations inside a zip archive.
struct PackedFile {
  std::string what;        ///< "annotations", "captions", "lists".
  std::string archive;     ///< Appended to an entry of Mirrors::images.
  std::string member;      ///< Its name in there, and its path below the root.
  std::int64_t bytes = 0;  ///< About.
  std::int64_t packed_bytes = 0;  ///< About.
};

/// Where the images of a data set come from: one by one, or in archives.
struct Mirrors {
  std::vector<std::string> images;  ///< Path is appended: "http://host/".
  std::vector<Archive> archives;
  std::vector<PackedFile> packed;
  std::int64_t bytes_per_image = 0;  ///< About.
};

/// Reads a mirrors file (the README beside this header has its format). An
/// empty `file` is the one that ships with Tailmark. Throws DataError for a
/// broken one, ConfigError when it does not know the data set.
Mirrors ReadMirrors(const std::filesystem::path& file,
                    const std::string& dataset);

/// The same addresses on other hosts: each `base` takes the place of all that
/// stands before the path of an image, or before the name of an archive.
Mirrors WithBases(const Mirrors& mirrors,
                  const std::vector<std::string>& bases);

/// Whether `path` may come from the archive. It may from several: trainval and
/// test of VOC2007 share a folder.
bool MayHold(const Archive& archive, std::string_view path);

}  // namespace tailmark::fetch
