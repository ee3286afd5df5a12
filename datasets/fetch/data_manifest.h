#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark::fetch {

/// What a file is, once it was read: of a picture also its sides.
struct PictureFacts {
  std::int64_t size = 0;  ///< Bytes.
  std::string sha256;
  int width = 0;   ///< 0: no picture.
  int height = 0;  ///< 0: no picture.

  friend bool operator==(const PictureFacts&, const PictureFacts&) = default;
};

/// The most that is read of a file that should be a picture: no data set has
/// one of a quarter of that.
inline constexpr std::int64_t kMostPictureBytes = std::int64_t{256} << 20;

/// What is wrong with a file that is not there.
inline constexpr char kMissing[] = "missing";

/// Something that is wrong with one file.
struct Problem {
  std::string path;  ///< Below the root.
  std::string what;
};

/// ROOT/tailmark-manifest.json: what each picture was when it first came,
/// against which it is verified ever after.
class DataManifest {
 public:
  /// Empty when there is no such file. Throws DataError for a broken one.
  static DataManifest Load(const std::filesystem::path& root);
  /// Throws StoreError.
  void Save(const std::filesystem::path& root) const;

  /// Null: not known yet.
  const PictureFacts* Find(const std::string& path) const;
  void Add(const std::string& path, PictureFacts facts);
  bool empty() const { return files_.empty(); }

 private:
  std::map<std::string, PictureFacts> files_;
};

/// Whether `path` is a file of annotations, .xml or .json, and no picture.
bool IsAnnotation(std::string_view path);

/// Decodes a picture, reads a .xml. Throws DataError "NAME: ..." for what is no
/// whole one.
PictureFacts LookAtBytes(std::string_view bytes, std::string_view name);
/// The same of a file on disk, of which a .json is not read whole.
PictureFacts LookAtFile(const std::filesystem::path& file,
                        std::string_view name);

/// How `now` differs from what the manifest has, or "".
std::string Difference(const PictureFacts& known, const PictureFacts& now);

/// Checks every path below `root`: there, of the manifest's size and hash,
/// decodable. In the order of `paths`; empty when all is well. `threads` read
/// at a time. Throws Interrupted.
std::vector<Problem> VerifyFiles(const std::filesystem::path& root,
                                 const std::vector<std::string>& paths,
                                 const DataManifest& manifest, int threads);

}  // namespace tailmark::fetch
