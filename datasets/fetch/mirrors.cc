#include "datasets/fetch/mirrors.h"

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/json_integer.h"
#include "harness/base/suggest.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

constexpr const char* kMirrorsSchema = "tailmark-mirrors/1";

std::vector<std::string> UrlsOf(const Json& json) {
  auto urls = json.get<std::vector<std::string>>();
  for (const std::string& url : urls) {
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
      throw DataError(StrCat("'", url, "' is neither http:// nor https://"));
    }
  }
  return urls;
}

Mirrors FromJson(const Json& json) {
  Mirrors mirrors;
  mirrors.bytes_per_image =
      IntegerOf<std::int64_t>(json.at("bytes_per_image"), "bytes_per_image", 0);
  if (json.contains("images")) mirrors.images = UrlsOf(json.at("images"));
  if (json.contains("packed")) {
    for (const Json& each : json.at("packed")) {
      mirrors.packed.push_back(
          {.what = each.at("what").get<std::string>(),
           .archive = each.at("archive").get<std::string>(),
           .member = each.at("member").get<std::string>(),
           .bytes = each.at("bytes").get<std::int64_t>(),
           .packed_bytes = each.at("packed_bytes").get<std::int64_t>()});
    }
  }
  if (!json.contains("archives")) return mirrors;
  for (const Json& each : json.at("archives")) {
    mirrors.archives.push_back(
        {.prefix = each.at("prefix").get<std::string>(),
         .bytes = IntegerOf<std::int64_t>(each.at("bytes"), "bytes", 0),
         .urls = UrlsOf(each.at("urls"))});
  }
  return mirrors;
}

std::string WithSlash(std::string base) {
  if (!base.ends_with('/')) base += '/';
  return base;
}

}  // namespace

Mirrors ReadMirrors(const fs::path& file, const std::string& dataset) {
  const fs::path path =
      file.empty() ? SharedFile("datasets/fetch/mirrors.json") : file;
  const Json json = ReadJson(path);
  std::vector<std::string> names;
  try {
    if (json.at("schema") != kMirrorsSchema) {
      throw DataError(StrCat("schema ", json.at("schema").dump(),
                             ", expected \"", kMirrorsSchema, "\""));
    }
    const Json& sets = json.at("sets");
    if (sets.contains(dataset)) return FromJson(sets.at(dataset));
    for (const auto& set : sets.items()) names.push_back(set.key());
  } catch (const std::exception& error) {
    throw DataError(StrCat(path.string(), ": ", error.what()));
  }
  throw ConfigError(StrCat(path.string(), ": ",
                           UnknownName("data set to fetch", dataset, names)));
}

Mirrors WithBases(const Mirrors& mirrors,
                  const std::vector<std::string>& bases) {
  if (bases.empty()) return mirrors;
  Mirrors out = mirrors;
  out.images.clear();
  for (Archive& archive : out.archives) {
    const std::string first = archive.urls.empty() ? "" : archive.urls.front();
    archive.urls.clear();
    for (const std::string& base : bases) {
      archive.urls.push_back(WithSlash(base) +
                             first.substr(first.rfind('/') + 1));
    }
  }
  if (out.archives.empty()) {
    for (const std::string& base : bases) out.images.push_back(WithSlash(base));
  }
  return out;
}

bool MayHold(const Archive& archive, std::string_view path) {
  return path.starts_with(archive.prefix);
}

}  // namespace tailmark::fetch
