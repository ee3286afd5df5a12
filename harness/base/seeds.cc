#include "harness/base/seeds.h"

namespace tailmark {

std::uint64_t DeriveSeed(std::uint64_t root, std::string_view name,
                         std::uint64_t index) {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a: names are short
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  return Mix64(Mix64(Mix64(root) ^ hash) ^ index) >> 1;
}

}  // namespace tailmark
