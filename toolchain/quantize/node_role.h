#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// What a node is to quantization.
struct NodeRole {
  enum class Kind : std::uint8_t {
    kOutside,   ///< no reals flow through it: shapes, indices, masks
    kFloat,     ///< reals flow through it, and it stays as it is
    kLayer,     ///< a product with constant weights, accumulated in int32
    kComputes,  ///< another computation between quantized tensors
    kTable,     ///< a function of one element
    kMoves,     ///< its outputs hold integers of its inputs
  } kind;
  std::string why;                    ///< kFloat: the reason
  std::vector<std::size_t> operands;  ///< the inputs that carry reals to be quantized, weights and bias aside

  [[nodiscard]] bool quantized() const { return kind != Kind::kOutside && kind != Kind::kFloat; }
};

NodeRole role_of(const Graph& graph, const Node& node);

/// The axis of a layer's weights along which output channels lie; none where they have no such axis.
std::optional<std::int64_t> channel_axis(const Graph& graph, const Node& node);
/// The bias of a layer, or nullptr.
const Tensor* bias_of(const Graph& graph, const Node& node);

}  // namespace zeropoint::toolchain
