#include "simplify/block_weights.h"

namespace zeropoint::toolchain {
namespace {

/// Element `i` of a row of packed bytes, the first element low.
std::uint8_t element(const std::uint8_t* row, std::int64_t i, std::int64_t bits) {
  return bits == 8 ? row[i] : static_cast<std::uint8_t>(i % 2 == 0 ? row[i / 2] & 15 : row[i / 2] >> 4);
}

}  // namespace

std::optional<BlockWeights> block_weights(const Graph& graph, const Node& node) {
  std::int64_t k = int_attribute(node, "K");
  std::int64_t n = int_attribute(node, "N");
  std::int64_t bits = int_attribute(node, "bits");
  std::int64_t block = int_attribute(node, "block_size");
  const Tensor* packed = graph.constant(node, 1);
  const Tensor* scales = graph.constant(node, 2);
  const Tensor* zero_points = graph.constant(node, 3);
  if (k < 1 || n < 1 || block < 1 || block % 2 != 0 || (bits != 4 && bits != 8) || packed == nullptr ||
      scales == nullptr || (node.has_input(3) && zero_points == nullptr) || node.has_input(4)) {
    return std::nullopt;
  }
  std::int64_t blocks = (k - 1) / block + 1;
  std::int64_t bytes_per_row = bits == 8 ? blocks : (blocks + 1) / 2;  // of zero points
  bool fits = k <= packed->size() * 2 && block <= packed->size() * 2 &&
              packed->type() == ElementType::kUint8 && packed->size() / n == blocks * (block * bits / 8) &&
              packed->size() % n == 0 && scales->type() == ElementType::kFloat32 &&
              scales->size() == n * blocks &&
              (zero_points == nullptr ||
               (zero_points->type() == ElementType::kUint8 && zero_points->size() == n * bytes_per_row));
  if (!fits) {
    return std::nullopt;
  }
  ElementType type = bits == 8 ? ElementType::kUint8 : ElementType::kUint4;
  BlockWeights weights{Tensor(type, {k, n}), Tensor(ElementType::kFloat32, {blocks, n}),
                       Tensor(type, {blocks, n})};
  for (std::int64_t column = 0; column < n; ++column) {
    const std::uint8_t* row = packed->data<std::uint8_t>().data() + column * blocks * (block * bits / 8);
    for (std::int64_t i = 0; i < k; ++i) {
      weights.integers.data<std::uint8_t>()[i * n + column] = element(row, i, bits);
    }
    for (std::int64_t b = 0; b < blocks; ++b) {
      weights.scales.data<float>()[b * n + column] = scales->data<float>()[column * blocks + b];
      weights.zero_points.data<std::uint8_t>()[b * n + column] =
          zero_points == nullptr
              ? static_cast<std::uint8_t>(1 << (bits - 1))
              : element(zero_points->data<std::uint8_t>().data() + column * bytes_per_row, b, bits);
    }
  }
  return weights;
}

}  // namespace zeropoint::toolchain
