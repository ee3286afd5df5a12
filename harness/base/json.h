#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

namespace tailmark {

/// JSON enters here. Objects keep their keys sorted, so that dump() of equal
/// values is equal text: what gets hashed.
using Json = nlohmann::json;
/// For answers on stdout, where the order of keys is for people.
using OrderedJson = nlohmann::ordered_json;

/// Parses `text`; // and /* */ comments are allowed. Throws DataError
/// "NAME:LINE:COLUMN: ..." with what was expected; a trailing comma is named as
/// such. `name` is what the message calls the text.
Json ParseJson(std::string_view text, std::string_view name);

/// The same without members of the `skipped` names, wherever they stand: they
/// are parsed, but take no memory.
Json ParseJson(std::string_view text, std::string_view name,
               std::span<const std::string_view> skipped);

/// ParseJson of a file of at most 1 GiB. Throws DataError.
Json ReadJson(const std::filesystem::path& path);

/// Canonical form: sorted keys, no spaces, shortest round-trip numbers.
std::string Canonical(const Json& json);

/// What `Canonical` hashes to: 64 hex digits.
std::string HashOf(const Json& json);

}  // namespace tailmark
