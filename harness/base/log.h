#pragma once

#include <string_view>

namespace tailmark {

/// One line to stderr, where everything that is not a result goes. `-q` and
/// `-v` set the level.
enum class LogLevel { kDebug, kInfo, kWarning, kError };
void SetLogLevel(LogLevel level);
/// Whether lines of this level are shown.
bool IsLogged(LogLevel level);
void LogDebug(std::string_view line);
void LogInfo(std::string_view line);
void LogWarning(std::string_view line);
void LogError(std::string_view line);

}  // namespace tailmark
