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

}  // namespace

void SetLogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      Logger().set_level(spdlog::level::debug);
      break;
    case LogLevel::kInfo:
      Logger().set_level(spdlog::level::info);
      break;
    case LogLevel::kWarning:
      Logger().set_level(spdlog::level::warn);
      break;
    case LogLevel::kError:
      Logger().set_level(spdlog::level::err);
      break;
  }
}
void LogDebug(std::string_view line) { Logger().debug("{}", line); }
void LogInfo(std::string_view line) { Logger().info("{}", line); }
void LogWarning(std::string_view line) { Logger().warn("warning: {}", line); }
void LogError(std::string_view line) { Logger().error("{}", line); }

}  // namespace tailmark
