#pragma once

// Post-training quantization in two steps: decide (make_plan), then apply (apply_plan). The plan is data with
// a reason per decision; applying it is mechanical.

#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/affine_tensor.h"
#include "zeropoint/status.h"
#include "zeropoint/toolchain/calibrate.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/recipe.h"

namespace zeropoint::toolchain {

enum class TensorRole : std::uint8_t { kActivation, kWeight, kBias };

/// How one tensor is quantized, and why.
struct Decision {
  std::string tensor;
  TensorRole role = TensorRole::kActivation;
  QuantizedType type;
  TensorParams params;
  std::string shares_with;  ///< activations: the tensor whose integers these are, rearranged or selected
  std::string reason;
  /// Activations: the nodes that read the tensor so; empty: all that no other decision of it names.
  std::vector<std::string> readers = {};
  /// Activations: each run finds the range, and `params` is empty. Readers are matrix products by constants.
  bool dynamic = false;
  /// Biases: the reals to be quantized in place of the constant's, as improvements made them.
  std::vector<float> values = {};
  std::string layer = {};  ///< biases that the float network does not have: the node that gets it
};

/// A node through which reals flow on, and why.
struct FloatNode {
  std::string node;
  std::string op;
  std::string reason;
};

/// Every decision, and what was decided to stay as it is, in the order of the graph.
struct QuantPlan {
  std::vector<Decision> decisions;
  std::vector<FloatNode> floats;
  std::vector<std::string> improvements;  ///< by name: those that were made of the float network

  /// The decision for all readers of a tensor that have none of their own; nullptr where there is none.
  [[nodiscard]] const Decision* find(std::string_view tensor) const;
};

/// Before: a constant that several nodes read in ways that quantization treats differently: the bias of two
///         layers (each needs its own scale), or weights of a layer that another node reads as data.
/// After:  a constant of each for each. Memory is shared, so that only a quantized model grows.
void separate_constants(Graph& graph);

/// Decides. Products with constant weights (Conv, ConvTranspose, Gemm, MatMul), other computations (Add,
/// pools, Softmax) and tables (Sigmoid) work on quantized tensors; a Relu or Clip behind one becomes part of
/// it; what only moves elements (MaxPool, Concat, Reshape) keeps their integers, so that all tensors it joins
/// have one scale and zero point. Nodes that stay in float are listed with the reason. kInvalidArgument for a
/// recipe that cannot be (bits), weights that are not finite; kNotFound when `ranges` lacks a tensor;
/// kUnsupported when nothing can be quantized, or two layers share a bias that would need two scales (see
/// separate_constants()).
/// With `statistics` activations that 8 bits would damage get 16, where the recipe protects them.
Result<QuantPlan> make_plan(const Graph& graph, const RangeTable& ranges, const Recipe& recipe,
                            const Statistics* statistics = nullptr);

/// Applies: the same graph in QDQ form. Weights and biases become integer constants behind DequantizeLinear;
/// each decided activation passes QuantizeLinear and DequantizeLinear. An activation of fewer bits than its
/// storage type is clipped first, by a Clip whose bounds are the reals of q_min and q_max, so that only
/// standard operators are needed. Tensors that are added have names that the graph did not use.
///
/// A plan may come from people: kNotFound when it names a tensor that the graph does not have,
/// kInvalidArgument for a decision that cannot be applied as it is (another number of scales than the tensor
/// needs, a zero point outside of the type, a bias beyond int32, a tensor that shares its integers but not
/// their scale), kUnsupported for scales per group; messages name the tensor.
Result<Graph> apply_plan(const Graph& graph, const QuantPlan& plan);

/// The plan as JSON, and back. The format is described in docs/plan.md.
std::string to_json(const QuantPlan& plan);
Result<QuantPlan> plan_from_json(std::string_view text);

/// The plan as a table for people.
std::string print(const QuantPlan& plan);

}  // namespace zeropoint::toolchain
