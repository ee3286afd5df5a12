#include "datasets/loader/picture_cache.h"

#include <cstddef>

namespace tailmark {

PictureCache::PictureCache(std::int64_t room, std::int64_t count)
    : room_(room), kept_(room > 0 ? static_cast<std::size_t>(count) : 0) {}

const Image* PictureCache::Find(std::int64_t position) const {
  if (kept_.empty()) return nullptr;
  return kept_[static_cast<std::size_t>(position)].get();
}

void PictureCache::Offer(std::int64_t position, const Image& image) {
  if (kept_.empty()) return;
  const auto size = static_cast<std::int64_t>(image.rgb.size());
  if (bytes_.fetch_add(size) + size > room_) {
    bytes_.fetch_sub(size);
    return;
  }
  kept_[static_cast<std::size_t>(position)] =
      std::make_unique<const Image>(image);
  ++pictures_;
}

}  // namespace tailmark
