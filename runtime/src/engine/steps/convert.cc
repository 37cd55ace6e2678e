#include "engine/steps/convert.h"

#include <algorithm>
#include <cstring>

namespace zeropoint::engine {

ShiftStep::ShiftStep(Place from, Place to, std::int64_t bytes, std::uint8_t shift)
    : from_(from), to_(to), bytes_(bytes), shift_(shift) {
  profile.operation = "Copy";
  profile.kernel = "copy";
}

Status ShiftStep::run(const RunContext& context) {
  const std::uint8_t* from = context.bytes_at(from_);
  std::uint8_t* to = context.bytes_at(to_);
  if (shift_ == 0) {
    std::memcpy(to, from, static_cast<std::size_t>(bytes_));
    return {};
  }
  for (std::int64_t i = 0; i < bytes_; ++i) {
    to[i] = static_cast<std::uint8_t>(from[i] + shift_);
  }
  return {};
}

FromImageStep::FromImageStep(const Image& from, Place to, std::uint8_t shift)
    : from_(from), to_(to), shift_(shift) {
  profile.operation = "Layout";
  profile.kernel = "from_nhwc";
}

Status FromImageStep::run(const RunContext& context) {
  std::uint8_t* to = context.bytes_at(to_);
  for (std::int64_t n = 0; n < from_.batch; ++n) {
    const std::uint8_t* image = context.bytes_at(from_.place) + n * from_.plane;
    for (std::int64_t c = 0; c < from_.channels; ++c) {
      for (std::int64_t y = 0; y < from_.height; ++y) {
        const std::uint8_t* row = image + y * from_.row + c;
        for (std::int64_t x = 0; x < from_.width; ++x) {
          *to++ = static_cast<std::uint8_t>(row[x * from_.pixel] + shift_);
        }
      }
    }
  }
  return {};
}

ToImageStep::ToImageStep(Place from, const Image& to) : from_(from), to_(to) {
  profile.operation = "Layout";
  profile.kernel = "to_nhwc";
}

Status ToImageStep::run(const RunContext& context) {
  const std::uint8_t* from = context.bytes_at(from_);
  for (std::int64_t n = 0; n < to_.batch; ++n) {
    std::uint8_t* image = context.bytes_at(to_.place) + n * to_.plane;
    for (std::int64_t c = 0; c < to_.channels; ++c) {
      for (std::int64_t y = 0; y < to_.height; ++y) {
        std::uint8_t* row = image + y * to_.row + c;
        for (std::int64_t x = 0; x < to_.width; ++x) {
          row[x * to_.pixel] = *from++;
        }
      }
    }
  }
  return {};
}

CopyImageStep::CopyImageStep(const Image& from, const Image& to) : from_(from), to_(to) {
  profile.operation = "Copy";
  profile.kernel = "copy";
}

Status CopyImageStep::run(const RunContext& context) {
  auto pixel = static_cast<std::size_t>(from_.channels);
  for (std::int64_t n = 0; n < from_.batch; ++n) {
    for (std::int64_t y = 0; y < from_.height; ++y) {
      const std::uint8_t* from = context.bytes_at(from_.place) + n * from_.plane + y * from_.row;
      std::uint8_t* to = context.bytes_at(to_.place) + n * to_.plane + y * to_.row;
      if (from_.rows_are_dense() && to_.rows_are_dense()) {
        std::memcpy(to, from, pixel * static_cast<std::size_t>(from_.width));
        continue;
      }
      for (std::int64_t x = 0; x < from_.width; ++x) {
        std::memcpy(to + x * to_.pixel, from + x * from_.pixel, pixel);
      }
    }
  }
  return {};
}

}  // namespace zeropoint::engine
