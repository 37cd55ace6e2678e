#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

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
  std::string unused(std::string name);
  /// A value for what is quantized to `quantized`, named after it.
  ValueId real_of(ValueId quantized);
  ValueId add_constant(std::string name, Tensor tensor);

  /// The reals of `quantized`. A DequantizeLinear that the original has for them is moved here.
  ValueId dequantized(ValueId quantized, QuantValues params, std::optional<std::int64_t> axis = {});
  void quantize(ValueId real, QuantValues params, ValueId quantized);

  /// Adds a DequantizeLinear of the original where it stands, unless it was moved.
  void keep_dequantize(std::size_t node);

 private:
  using Key = std::tuple<ValueId, std::string, std::string>;  // tensor, scales, zero points
  [[nodiscard]] Key key_of(ValueId quantized, QuantValues params) const;

  const Graph& original_;
  Graph& graph_;
  std::set<std::string> names_;
  std::map<Key, std::size_t> nodes_;  // DequantizeLinear nodes of the original
  std::map<Key, ValueId> dequantized_;
  std::set<std::size_t> moved_;
};

}  // namespace zeropoint::toolchain
