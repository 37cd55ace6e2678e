#pragma once

// The work of lower(): goes over the nodes in order and writes operations for each. Values of the graph are
// reals; those that a DequantizeLinear makes, and what only moves them, are also known as integers.
// Operations are written as if each value were needed as reals too; ProgramBuilder leaves out what is not.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compile/lower_region.h"
#include "compile/program_builder.h"
#include "compile/read_layer.h"
#include "zeropoint/requantize.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/lower.h"

namespace zeropoint::toolchain {

/// A value of the graph as integers: real = scale * (q - zero_point).
struct QuantizedView {
  TensorId tensor;
  QuantParams params;
  ElementType type;
};

/// What a value is to be quantized to. `range` is narrower than the type where clamps were taken in.
struct Target {
  QuantParams params;
  ElementType type;
  QuantizedRange range;

  [[nodiscard]] Quantization quantization() const { return {params, range}; }
  friend bool operator==(const Target&, const Target&) = default;
};

class GraphLowering {
 public:
  GraphLowering(const Graph& graph, RequantizeMode mode);
  Result<Lowering> run();

 private:
  // lower.cc: nodes and values as they stand.
  Status lower_node(std::int32_t index);
  Status lower_quantize(std::int32_t index);
  Status lower_dequantize(std::int32_t index);
  Status evaluate_as_it_stands(std::int32_t index, bool listed = true);
  /// The value as the tensor the graph says it is: of reals, indices, whatever.
  Result<TensorId> plain(ValueId id);
  /// Whether `dequantize` makes a matrix of constant weights real that products in float alone read: its
  /// integers stay in the program, packed.
  [[nodiscard]] bool multiplies_only(ValueId id, const Node& dequantize) const;
  Result<TensorId> real_layer(ValueId id, const Node& node);
  [[nodiscard]] const Node* producer(ValueId id) const;
  [[nodiscard]] const QuantizedView* view(ValueId id) const;
  /// The view of a value of at most 16 bits; else kUnsupported, saying whose input it is.
  [[nodiscard]] Result<QuantizedView> operand(const Node& node, std::size_t input) const;
  /// The value where it is known: a constant, or a DequantizeLinear of one.
  [[nodiscard]] Result<Tensor> constant_reals(ValueId id) const;
  [[nodiscard]] std::string reason_of(const Node& node) const;
  Result<Lowering> finish();

  // lower_value.cc: a value as integers of given parameters.
  Result<TensorId> quantize_value(ValueId id, const Target& target, const std::string& name, int depth = 0);
  Result<TensorId> make_quantized(ValueId id, Target target, const std::string& name, int depth);
  Result<TensorId> quantize_constant(ValueId id, const Target& target, const std::string& name);
  Result<TensorId> compute(const Node& node, ValueId id, const Target& target, const std::string& name);
  [[nodiscard]] std::optional<Target> narrowed(const Node& node, const Target& target) const;

  // lower_moves.cc: nodes whose outputs hold elements of their inputs.
  /// The inputs that carry what is moved; none where the node computes.
  [[nodiscard]] std::optional<std::vector<std::size_t>> moved_inputs(const Node& node) const;
  Result<bool> move_views(std::int32_t index);
  Result<TensorId> move_quantized(const Node& node, ValueId id, const Target& target, const std::string& name,
                                  int depth);
  Result<EvaluateOp> move_of(const Node& node, const std::vector<std::size_t>& moved,
                             const std::vector<TensorId>& integers, QuantizedRange range,
                             std::int64_t zero_point, ElementType type);

  // lower_layer.cc
  [[nodiscard]] Result<LayerConstants> layer_constants(const Node& node) const;
  Status add_layer(const Node& node, LayerConstants&& constants, TensorId output,
                   std::optional<Requantization> requantization);
  Status lower_layer(const Node& node, const Target& target, TensorId output);
  Result<DequantizeOp> accumulator(ValueId id, const Node& node);

  // lower_elementwise.cc
  [[nodiscard]] Region region_of(ValueId id) const;
  /// A node of arithmetic that is not elementwise, and its inputs.
  [[nodiscard]] Region region_of_one(const Node& node) const;
  Result<TensorId> lower_table(const Region& region, ValueId id, const Target& target,
                               const std::string& name);
  /// One Add or Mul of two tensors of 8 bits, constants among them; none for another region.
  std::optional<TensorId> lower_pair(const Region& region, ValueId id, const Target& target,
                                     const std::string& name);
  Result<TensorId> lower_arithmetic(const Region& region, ValueId id, const Target& target,
                                    const std::string& name);

  // lower_compute.cc
  Status lower_mat_mul(const Node& node, const Target& target, TensorId output);
  Status lower_reduce(const Node& node, const Target& target, TensorId output);
  Status lower_average_pool(const Node& node, const Target& target, TensorId output);
  Status lower_softmax(const Node& node, const Target& target, TensorId output);
  Status lower_normalization(const Node& node, const Target& target, TensorId output);

  const Graph& graph_;
  RequantizeMode mode_;
  std::vector<std::int32_t> producers_;
  ProgramBuilder builder_;
  std::map<ValueId, TensorId> tensors_;                                    // values as they stand
  std::map<ValueId, QuantizedView> views_;                                 // values as integers
  std::map<ValueId, std::vector<std::pair<Target, TensorId>>> quantized_;  // what quantize_value() made
  std::map<ValueId, DequantizeOp> accumulators_;  // layers' results before their scales
  std::set<std::int32_t> layers_;                 // nodes that are integer layers
  std::map<const Node*, std::string> reasons_;    // why an integer form was refused
};

/// Whether a layer's weights are constants: the other MatMuls multiply two tensors.
bool is_layer(const Graph& graph, const Node& node, const std::vector<std::int32_t>& producers);

}  // namespace zeropoint::toolchain
