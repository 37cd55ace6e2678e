#pragma once

#include <cstdint>

#include "zeropoint/tensor.h"

namespace zeropoint::engine {

/// Index of a buffer of the session: a place in its arena, memory of the caller's, or a constant.
using BufferId = std::int32_t;

/// Bytes of a buffer.
struct Place {
  BufferId buffer = -1;
  std::int64_t offset = 0;
};

/// Rows or columns around an image in which convolutions find its zero point.
struct Halo {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t bottom = 0;
  std::int64_t right = 0;

  [[nodiscard]] bool none() const { return top == 0 && left == 0 && bottom == 0 && right == 0; }
};

/// A tensor [N, C, H, W] of 8 bits in memory as [N, H, W, C] of uint8; one of [N, C, L] has H = 1. The
/// strides are in bytes; channels are neighbours.
struct Image {
  Place place;  ///< of pixel (0, 0) of the first image
  std::int64_t batch = 0;
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t pixel = 0;
  std::int64_t row = 0;
  std::int64_t plane = 0;  ///< from image to image
  Halo halo;               ///< that the buffer has room for

  [[nodiscard]] bool rows_are_dense() const { return pixel == channels; }
  /// One after the other, without a gap: not within an image, and not between images.
  [[nodiscard]] bool is_dense() const {
    return rows_are_dense() && (height == 1 || row == width * pixel) &&
           (batch == 1 || plane == height * width * pixel);
  }
};

}  // namespace zeropoint::engine
