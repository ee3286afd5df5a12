#include "harness/base/json.h"

#include <algorithm>
#include <cctype>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json_depth.h"

namespace tailmark {
namespace {

// "[json.exception.parse_error.101] parse error at line 3, column 5: syntax
// error while parsing ..." -> "syntax error while parsing ..."
std::string Reason(std::string_view what) {
  const auto colon = what.find(": ");
  return std::string(colon == what.npos ? what : what.substr(colon + 2));
}

// A comma before the place of the error, with only blanks between: the usual
// slip, and nlohmann's words for it do not help.
bool AfterComma(std::string_view text, std::size_t at) {
  std::size_t i = std::min(at, text.size());
  if (i > 0) --i;  // the byte that was wrong
  if (i >= text.size() || (text[i] != '}' && text[i] != ']')) return false;
  while (i > 0 && std::isspace(static_cast<unsigned char>(text[i - 1]))) --i;
  return i > 0 && text[i - 1] == ',';
}

/// "LINE:COLUMN" of a byte, counted from 1.
std::string Place(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto line_start = before.rfind('\n');
  const auto column =
      1 + before.size() - (line_start == before.npos ? 0 : line_start + 1);
  return StrCat(line, ":", column);
}

}  // namespace

Json ParseJson(std::string_view text, std::string_view name) {
  return ParseJson(text, name, {});
}

Json ParseJson(std::string_view text, std::string_view name,
               std::span<const std::string_view> skipped) try {
  if (const auto at = FindTooDeep(text); at != text.npos) {
    throw DataError(StrCat(name, ":", Place(text, at), ": nested more than ",
                           kDeepestJson, " deep"));
  }
  Json::parser_callback_t keep;
  if (!skipped.empty()) {
    keep = [&](int, Json::parse_event_t event, Json& parsed) {
      return event != Json::parse_event_t::key ||
             std::find(skipped.begin(), skipped.end(),
                       parsed.get_ref<const std::string&>()) == skipped.end();
    };
  }
  return Json::parse(text, keep, /*allow_exceptions=*/true,
                     /*ignore_comments=*/true);
} catch (const Json::parse_error& error) {
  const std::size_t at = std::min<std::size_t>(error.byte, text.size());
  throw DataError(
      StrCat(name, ":", Place(text, at == 0 ? 0 : at - 1), ": not JSON: ",
             AfterComma(text, at) ? "a comma must not follow the last element"
                                  : Reason(error.what())));
} catch (const Json::out_of_range& error) {  // a number like 1e999
  throw DataError(StrCat(name, ": not JSON: ", Reason(error.what())));
}

Json ReadJson(const std::filesystem::path& path) {
  return ParseJson(ReadFile(path, std::int64_t{1} << 30), path.string());
}

std::string Canonical(const Json& json) { return json.dump(); }

std::string HashOf(const Json& json) { return Sha256Hex(Canonical(json)); }

}  // namespace tailmark
