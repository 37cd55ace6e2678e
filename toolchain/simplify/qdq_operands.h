#pragma once

#include <optional>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// A tensor of reals as a quantized one: what a DequantizeLinear reads, or a QuantizeLinear gives.
struct QuantizedOperand {
  ValueId integers = kNoValue;
  ValueId scale = kNoValue;
  ValueId zero_point = kNoValue;
  ElementType type = ElementType::kUint8;
  bool is_per_tensor = true;
  std::int64_t axis = 0;  ///< where it is not, counted from the start

  [[nodiscard]] bool is_8_bits() const { return type == ElementType::kInt8 || type == ElementType::kUint8; }
  [[nodiscard]] bool is_per_tensor_or_axis(std::int64_t channels) const {
    return is_per_tensor || axis == channels;
  }
  /// Engines multiply uint8 activations by weights of either sign, int8 ones by int8 alone.
  [[nodiscard]] bool fits_with(const QuantizedOperand& activation) const {
    return activation.type == ElementType::kUint8 || type == ElementType::kInt8;
  }
};

/// The pairs of a QDQ graph, as operators on integers want them. Borrows the graph, whose shapes are
/// inferred.
class QdqOperands {
 public:
  explicit QdqOperands(const Graph& graph);

  /// The operand behind reals that a DequantizeLinear with constant scale and zero point makes; none for
  /// blocks.
  [[nodiscard]] std::optional<QuantizedOperand> operand(ValueId real) const;
  /// What a QuantizeLinear to 8 bits with one constant scale and zero point gives.
  [[nodiscard]] std::optional<QuantizedOperand> result(const Node& quantize) const;
  /// The integers of an int32 bias whose scale is alpha * S_x * S_w to the bit, and whose zero point is 0.
  [[nodiscard]] std::optional<ValueId> bias(ValueId real, const QuantizedOperand& x,
                                            const QuantizedOperand& w, float alpha) const;
  /// The node that makes a value which one node alone reads and the graph does not give.
  [[nodiscard]] std::optional<std::size_t> sole_maker(ValueId value) const;
  /// Whether a node's result goes nowhere into a QuantizeLinear, nor into a clamp before one.
  [[nodiscard]] bool stays_real(std::size_t node) const;
  /// Whether a Relu or Clip changes nothing that quantizing to `y` would not: its bounds are quantized to the
  /// ends of the integers' range, or beyond.
  [[nodiscard]] bool is_idle_clamp(const Node& node, const QuantizedOperand& y) const;
  [[nodiscard]] bool same_params(const QuantizedOperand& a, const QuantizedOperand& b) const;

 private:
  [[nodiscard]] const Tensor* constant(ValueId id) const {
    return id == kNoValue ? nullptr : graph_.value(id).constant.get();
  }
  [[nodiscard]] std::optional<QuantizedOperand> operand_of(const Node& node, ValueId integers) const;

  const Graph& graph_;
  std::vector<std::int32_t> producers_;
  std::vector<std::vector<std::int32_t>> consumers_;
  std::vector<bool> is_output_;
};

}  // namespace zeropoint::toolchain
