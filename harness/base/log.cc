#include "harness/base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "harness/base/environment.h"

namespace tailmark {
namespace {

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> kLogger = [] {
    const auto mode = GetEnv("NO_COLOR") ? spdlog::color_mode::never
                                         : spdlog::color_mode::automatic;
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(mode);
    auto logger = std::make_shared<spdlog::logger>("tailmark", sink);
    logger->set_pattern("tailmark: %^%v%$");
    return logger;
  }();
  return *kLogger;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

void SetLogLevel(LogLevel level) { Logger().set_level(ToSpdlog(level)); }
bool IsLogged(LogLevel level) { return Logger().should_log(ToSpdlog(level)); }
void LogDebug(std::string_view line) { Logger().debug("{}", line); }
void LogInfo(std::string_view line) { Logger().info("{}", line); }
void LogWarning(std::string_view line) { Logger().warn("warning: {}", line); }
void LogError(std::string_view line) { Logger().error("{}", line); }

}  // namespace tailmark
