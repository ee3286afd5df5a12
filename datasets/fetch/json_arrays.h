#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string_view>

namespace tailmark::fetch {

/// Some successive elements of an array: "[...]", and the bytes of padding that
/// simdjson reads behind it.
struct ArrayPiece {
  std::string_view key;  ///< The array's name.
  std::string_view json;
  std::size_t allocated = 0;  ///< Bytes from the beginning of `json`.
  std::size_t place = 0;      ///< In the file, of what follows the bracket.
};

/// What is done with the arrays that a JSON object has as members.
struct ArrayTaker {
  /// Reads all elements. The array may end before the piece does: the answer is
  /// where in `json` its next token is; else the size of `json`. May throw
  /// DataError. It begins anew with each call: what the last one read counts
  /// only once `keep` was called, since a piece whose end was guessed wrong
  /// comes again, longer.
  std::function<std::size_t(const ArrayPiece&)> read;
  /// What `read` saw last is right, and does not come again.
  std::function<void()> keep;
};

/// Reads a file that is one JSON object, with memory for a piece of it: the
/// elements of its arrays go to `taker` as many at a time as there are in
/// `piece` bytes (at least one; an element may be longer). The other members
/// are skipped. Throws DataError naming file and, where that is known, byte.
void ReadArrays(const std::filesystem::path& file, std::size_t piece,
                const ArrayTaker& taker);

}  // namespace tailmark::fetch
