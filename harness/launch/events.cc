#include "harness/launch/events.h"

#include <array>
#include <fstream>

#include "harness/base/error.h"
#include "harness/base/json.h"

namespace tailmark {
namespace {

// A line longer than this is no event.
constexpr std::size_t kLongest = 65536;

std::string TextOf(const Json& event, const char* name) {
  const auto it = event.find(name);
  return it != event.end() && it->is_string() ? it->get<std::string>() : "";
}

std::int64_t CountOf(const Json& event, const char* name) {
  const auto it = event.find(name);
  return it != event.end() && it->is_number_integer() ? it->get<std::int64_t>()
                                                      : 0;
}

double NumberOf(const Json& event, const char* name, double otherwise) {
  const auto it = event.find(name);
  return it != event.end() && it->is_number() ? it->get<double>() : otherwise;
}

}  // namespace

EventsTail::EventsTail(std::filesystem::path path) : path_(std::move(path)) {}

const RunProgress& EventsTail::Read() {
  std::ifstream in(path_, std::ios::binary);
  if (!in || !in.seekg(offset_)) return progress_;
  std::array<char, 16384> buffer{};
  while (in.read(buffer.data(), buffer.size()), in.gcount() > 0) {
    offset_ += in.gcount();
    rest_.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    std::size_t start = 0;
    for (auto end = rest_.find('\n'); end != rest_.npos;
         end = rest_.find('\n', start)) {
      Take(std::string_view(rest_).substr(start, end - start));
      start = end + 1;
    }
    rest_.erase(0, start);
    if (rest_.size() > kLongest) rest_.clear();
  }
  return progress_;
}

void EventsTail::Take(std::string_view line) {
  const Json event = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!event.is_object() || TextOf(event, "phase").empty()) return;
  progress_ = {.phase = TextOf(event, "phase"),
               .done = CountOf(event, "done"),
               .total = CountOf(event, "total"),
               .unit = TextOf(event, "unit"),
               .note = TextOf(event, "note"),
               .rate = NumberOf(event, "rate", 0),
               .left_s = NumberOf(event, "eta_s", -1),
               .gpu_bytes = CountOf(event, "gpu_bytes")};
}

std::string ToText(const RunProgress& progress) {
  if (progress.phase.empty()) return "starting";
  std::string text = progress.phase;
  if (progress.done > 0 || progress.total > 0) {
    text += StrCat(" ", progress.done);
    if (progress.total > 0) text += StrCat("/", progress.total);
    if (!progress.unit.empty()) text += " " + progress.unit;
  }
  if (!progress.note.empty()) text += ", " + progress.note;
  return text;
}

}  // namespace tailmark
