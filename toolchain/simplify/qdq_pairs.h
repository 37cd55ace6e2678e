#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "simplify/graph_view.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Scale and zero point as values of a graph; the latter may be kNoValue, which means 0.
struct QuantValues {
  ValueId scale = kNoValue;
  ValueId zero_point = kNoValue;
};

/// Whether a tensor is one number: [] or [1].
bool is_single(const Tensor& tensor);

/// "x" of "x_quantized": what quantized tensors are named after.
std::string base_name(const std::string& quantized);

/// Adds QuantizeLinear and DequantizeLinear nodes to a graph that is rebuilt. Each tensor is dequantized
/// once.
class QdqPairs {
 public:
  /// `graph` holds the values of `original`, by the same ids, and gets the nodes.
  QdqPairs(const Graph& original, Graph& graph);

  /// `name`, or where a tensor has that name, one like it.
  std::string unused(const std::string& name) { return names_.take(name); }
  /// A value for what is quantized to `quantized`, named after it.
  ValueId real_of(ValueId quantized);
  ValueId add_constant(const std::string& name, Tensor tensor);

  /// The reals of `quantized`. A DequantizeLinear that the original has for them is moved here.
  ValueId dequantized(ValueId quantized, QuantValues params, std::optional<std::int64_t> axis = {});
  void quantize(ValueId real, QuantValues params, ValueId quantized);
  /// The reals of weights with a scale per tensor, or per index of `axis`.
  ValueId weights(ValueId quantized, QuantValues params, std::int64_t axis);
  /// The reals of an int32 bias in units of `input_scale` times each of the weights' scales.
  ValueId bias(ValueId quantized, float input_scale, const Tensor& weight_scales);

  /// Whether scale (float32) and zero point are constants of one number each.
  [[nodiscard]] bool is_per_tensor(QuantValues params) const;
  /// Whether they are constants of one list of more than one number each.
  [[nodiscard]] bool is_per_channel(QuantValues params) const;
  [[nodiscard]] bool is_of_weights(QuantValues params) const {
    return is_per_tensor(params) || is_per_channel(params);
  }

  /// Adds a DequantizeLinear of the original where it stands, unless it was moved.
  void keep_dequantize(std::size_t node);

 private:
  /// Tensor, scales, zero points, axis.
  using Key = std::tuple<ValueId, std::string, std::string, std::optional<std::int64_t>>;
  [[nodiscard]] const Tensor* constant(ValueId id) const {
    return id == kNoValue ? nullptr : graph_.value(id).constant.get();
  }
  [[nodiscard]] Key key_of(ValueId quantized, QuantValues params, std::optional<std::int64_t> axis) const;

  /// Of a DequantizeLinear without blocks.
  [[nodiscard]] Key key_of(const Node& dequantize) const;

  const Graph& original_;
  Graph& graph_;
  NewNames names_;
  std::map<Key, std::size_t> nodes_;  // DequantizeLinear nodes of the original
  std::map<Key, ValueId> dequantized_;
  std::set<std::size_t> moved_;
};

}  // namespace zeropoint::toolchain
