#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "datasets/images/image.h"

namespace tailmark {

/// Pictures by position, first come, first kept, until the room is used up: a
/// loader walks through all of them again and again, so that throwing out the
/// oldest would throw out what is needed next. Different positions may be used
/// from different threads at once; one position by one thread at a time.
class PictureCache {
 public:
  /// `room` in bytes, for `count` positions.
  PictureCache(std::int64_t room, std::int64_t count);

  /// nullptr when it is not there.
  const Image* Find(std::int64_t position) const;
  /// Keeps a copy if there is room.
  void Offer(std::int64_t position, const Image& image);

  std::int64_t pictures() const { return pictures_; }
  std::int64_t bytes() const { return bytes_; }

 private:
  std::int64_t room_;
  std::vector<std::unique_ptr<const Image>> kept_;
  std::atomic<std::int64_t> pictures_{0};
  std::atomic<std::int64_t> bytes_{0};
};

}  // namespace tailmark
