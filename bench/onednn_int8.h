#pragma once

// oneDNN's int8 primitives, on one thread: what our kernels are measured against.

#include <cstdint>
#include <functional>

namespace zeropoint::bench {

/// A convolution of an image in uint8 with int8 weights into uint8, requantized per channel; a matrix product
/// is one with an image of 1 x rows and a kernel of 1.
struct Layer {
  std::int64_t in_channels;
  std::int64_t out_channels;
  std::int64_t height;
  std::int64_t width;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t group = 1;

  [[nodiscard]] std::int64_t pad() const { return kernel / 2; }
  [[nodiscard]] std::int64_t out_height() const { return (height + 2 * pad() - kernel) / stride + 1; }
  [[nodiscard]] std::int64_t out_width() const { return (width + 2 * pad() - kernel) / stride + 1; }
  [[nodiscard]] std::int64_t multiply_adds() const {
    return out_height() * out_width() * out_channels * in_channels / group * kernel * kernel;
  }
};

/// Runs the layer once. Weights are packed as oneDNN likes them when it is made.
std::function<void()> onednn_convolution(const Layer& layer);
/// The product [rows, depth] x [depth, columns].
std::function<void()> onednn_product(std::int64_t rows, std::int64_t depth, std::int64_t columns);

}  // namespace zeropoint::bench
