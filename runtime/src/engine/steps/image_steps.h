#pragma once

// Steps on images and byte tensors by the elementwise kernels.

#include <algorithm>
#include <vector>

#include "engine/image.h"
#include "engine/step.h"
#include "kernels/elementwise/elementwise.h"
#include "zeropoint/window.h"

namespace zeropoint::engine {

/// Stretches of neighbouring bytes in tensors of one shape: all of plain ones; rows or pixels of images.
struct Stretches {
  std::int64_t planes = 1, rows = 1, pixels = 1;
  std::int64_t bytes = 0;

  struct Of {
    Place place;
    std::ptrdiff_t plane = 0, row = 0, pixel = 0;

    [[nodiscard]] std::ptrdiff_t at(std::int64_t n, std::int64_t y, std::int64_t x) const {
      return n * plane + y * row + x * pixel;
    }
  };

  /// Of images of one shape, as long as they allow.
  static Stretches of(const std::vector<Image>& images);

  [[nodiscard]] std::int64_t all_bytes() const { return planes * rows * pixels * bytes; }

  /// function(first, bytes) for pieces of stretches, which may run at the same time; first(tensor) is where a
  /// piece begins in one of the tensors. `work` in about nanoseconds.
  template <typename Function>
  void for_each(const RunContext& context, std::int64_t work, Function&& function) const {
    std::int64_t all_rows = planes * rows;
    if (all_rows == 1 && pixels == 1) {
      constexpr std::int64_t kPiece = 4096;
      std::int64_t pieces = (bytes + kPiece - 1) / kPiece;
      context.in_parts(pieces, work, [&](std::int64_t begin, std::int64_t end) {
        std::int64_t at = begin * kPiece;
        function([&](const Of& tensor) { return context.bytes_at(tensor.place) + at; },
                 std::min(bytes, end * kPiece) - at);
      });
      return;
    }
    context.in_parts(all_rows, work, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        for (std::int64_t x = 0; x < pixels; ++x) {
          function(
              [&](const Of& tensor) {
                return context.bytes_at(tensor.place) + tensor.at(i / rows, i % rows, x);
              },
              bytes);
        }
      }
    });
  }
};

/// Reals [N, C, H, W] to an image, or to as many bytes in a row.
class QuantizeStep : public Step {
 public:
  Place from;
  bool to_image = false;
  Image to;  ///< else the first byte
  std::int64_t count = 0;
  kernels::QuantizeParams params;
  const kernels::ElementwiseKernels* kernels = nullptr;

  Status run(const RunContext& context) override;

 private:
  void quantize_row(const float* in, std::uint8_t* out, std::int64_t n, std::int64_t y, bool in_colour) const;
};

/// Bytes, or accumulators with a scale for each along the last axis, to reals.
class DequantizeStep : public Step {
 public:
  Place from, to;
  std::int64_t rows = 1, count = 0;  ///< of a row
  bool sums = false;
  std::vector<float> scales;  ///< of the sums of a row
  float scale = 1;
  std::int32_t zero_point = 0;
  const kernels::ElementwiseKernels* kernels = nullptr;

  Status run(const RunContext& context) override;
};

class AddStep : public Step {
 public:
  Stretches stretches;
  Stretches::Of a, b, to;
  kernels::Epilogue epilogue;
  const kernels::ElementwiseKernels* kernels = nullptr;

  Status run(const RunContext& context) override;
};

class TableStep : public Step {
 public:
  Stretches stretches;
  Stretches::Of from, to;
  std::vector<std::uint8_t> table;
  const kernels::ElementwiseKernels* kernels = nullptr;

  Status run(const RunContext& context) override;
};

/// What one axis of a pool's window reads for an output: taps [begin, end) lie on the image.
struct PoolTaps {
  std::int64_t begin = 0, end = 0;
  std::int64_t padded = 0;  ///< taps before the end of the padding
  std::int64_t at = 0;      ///< of tap 0, in the image

  static PoolTaps of(const WindowGeometry& window, std::size_t axis, std::int64_t out);
};

/// The largest under a window, over the taps that lie on the image: rows first, then the pixels of what they
/// gave.
class MaxPoolStep : public Step {
 public:
  Image from, to;
  WindowGeometry window;  ///< of two axes
  Place row;              ///< the largest of some rows, one for each part
  std::vector<PoolTaps> columns;
  std::int64_t first_whole = 0, end_whole = 0;  ///< columns of the output whose taps all lie on the image
  const kernels::ElementwiseKernels* kernels = nullptr;

  /// Works out the columns.
  void prepare();
  Status run(const RunContext& context) override;

 private:
  void pool_row(const std::uint8_t* in, std::uint8_t* out, std::uint8_t* scratch, std::int64_t y) const;
};

/// The mean under a window.
class AveragePoolStep : public Step {
 public:
  Image from, to;
  WindowGeometry window;  ///< of two axes
  bool counts_padding = false;
  std::int32_t input_zero_point = 0;  ///< shifted
  float input_scale = 1, output_scale = 1;
  kernels::MeanParams params;  ///< without the factor
  Place sums;                  ///< int32 per channel
  const kernels::ElementwiseKernels* kernels = nullptr;

  Status run(const RunContext& context) override;

 private:
  void pool(const RunContext& context, const std::uint8_t* in, std::uint8_t* out, std::int64_t y,
            std::int64_t x) const;
};

/// The mean or sum over all pixels of an image, [N, C].
class GlobalMeanStep : public Step {
 public:
  Image from;
  Place to;
  Place sums;
  std::int32_t input_zero_point = 0;  ///< shifted
  kernels::MeanParams params;
  const kernels::ElementwiseKernels* kernels = nullptr;

  Status run(const RunContext& context) override;
};

}  // namespace zeropoint::engine
