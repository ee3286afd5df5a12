#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark::fetch {

/// What a picture file is, once it was decoded.
struct PictureFacts {
  std::int64_t size = 0;  ///< Bytes.
  std::string sha256;
  int width = 0;
  int height = 0;

  friend bool operator==(const PictureFacts&, const PictureFacts&) = default;
};

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

/// Decodes. Throws DataError "NAME: ..." for what is no whole picture.
PictureFacts LookAtPicture(std::string_view bytes, std::string_view name);

/// How `now` differs from what the manifest has, or "".
std::string Difference(const PictureFacts& known, const PictureFacts& now);

/// Checks every path below `root`: there, of the manifest's size and hash,
/// decodable. In the order of `paths`; empty when all is well. `threads` read
/// at a time. Throws Interrupted.
std::vector<Problem> VerifyFiles(const std::filesystem::path& root,
                                 const std::vector<std::string>& paths,
                                 const DataManifest& manifest, int threads);

}  // namespace tailmark::fetch
