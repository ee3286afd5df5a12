#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "datasets/images/image.h"

namespace tailmark {

/// Pictures with more pixels than this are refused (Pillow refuses the same).
inline constexpr std::int64_t kMaxPixels = 178'956'970;

/// Decodes a JPEG or PNG file held in memory, told apart by content, to what
/// Pillow's open().convert("RGB") gives: EXIF orientation is not applied, alpha
/// is dropped, 16-bit grey is clipped at 255, of 16-bit colours the high byte
/// is kept. Sizes are checked against kMaxPixels, and against what `bytes`
/// could possibly hold, before memory is taken. Throws DataError "NAME: reason"
/// for anything that is not a whole picture. Thread-safe.
Image DecodeImage(std::string_view bytes, std::string_view name);

/// DecodeImage of a file. Throws DataError naming it.
Image DecodeImageFile(const std::filesystem::path& path);

}  // namespace tailmark
