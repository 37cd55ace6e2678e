#include "engine/steps/convert.h"

#include <algorithm>
#include <cstring>

#include "kernels/transpose.h"

namespace zeropoint::engine {
namespace {

constexpr std::int64_t kBytes = 8;  // transposed in about a nanosecond

}  // namespace

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

/// A row of all channels: [width, channels] to [channels, width].
Status FromImageStep::run(const RunContext& context) {
  std::int64_t rows = from_.batch * from_.height;
  std::int64_t plane = from_.height * from_.width;
  // Where rows lie one behind the other, an image is one of them.
  bool joined = from_.height == 1 || from_.row == from_.width * from_.pixel;
  std::int64_t length = joined ? plane : from_.width;
  context.in_parts(joined ? from_.batch : rows, rows * from_.width * from_.channels / kBytes,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t i = begin; i < end; ++i) {
                       std::int64_t n = joined ? i : i / from_.height;
                       std::int64_t y = joined ? 0 : i % from_.height;
                       kernels::transpose_bytes(
                           context.bytes_at(from_.place) + n * from_.plane + y * from_.row, from_.pixel,
                           context.bytes_at(to_) + n * from_.channels * plane + y * from_.width, plane,
                           length, from_.channels, shift_);
                     }
                   });
  return {};
}

ToImageStep::ToImageStep(Place from, const Image& to) : from_(from), to_(to) {
  profile.operation = "Layout";
  profile.kernel = "to_nhwc";
}

Status ToImageStep::run(const RunContext& context) {
  std::int64_t rows = to_.batch * to_.height;
  std::int64_t plane = to_.height * to_.width;
  context.in_parts(rows, rows * to_.width * to_.channels / kBytes, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::int64_t n = i / to_.height;
      std::int64_t y = i % to_.height;
      kernels::transpose_bytes(context.bytes_at(from_) + n * to_.channels * plane + y * to_.width, plane,
                               context.bytes_at(to_.place) + n * to_.plane + y * to_.row, to_.pixel,
                               to_.channels, to_.width, 0);
    }
  });
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
