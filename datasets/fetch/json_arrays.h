#pragma once

#include <simdjson.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string_view>

namespace tailmark::fetch {

/// What is done with the arrays that a JSON object has as members.
struct ArrayTaker {
  /// Reads some elements of the array `key`, all of those given, in the file's
  /// order; may throw DataError. It begins anew with each call: what the last
  /// one read counts only once `keep` was called, since a piece whose end was
  /// guessed wrong comes again, longer.
  std::function<void(std::string_view key, simdjson::ondemand::array some)>
      read;
  /// What `read` saw last is right, and does not come again.
  std::function<void()> keep;
};

/// Reads a file that is one JSON object, with memory for a piece of it: the
/// elements of its arrays go to `taker` as many at a time as there are in
/// `piece` bytes (at least one; an element may be longer). The other members
/// are skipped. Throws DataError naming file and, where it is known, byte.
void ReadArrays(const std::filesystem::path& file, std::size_t piece,
                const ArrayTaker& taker);

}  // namespace tailmark::fetch
