#pragma once

#include <vector>

#include "graph/op_info.h"

namespace zeropoint::toolchain {

/// What a shape rule sees of its node, and where it puts its answer.
struct InferenceContext {
  const Graph& graph;
  const Node& node;
  /// Types and dims of the inputs; absent inputs have no dims.
  std::vector<const Value*> inputs;
  /// To be filled: type and dims of the first output.
  ElementType type = ElementType::kFloat32;
  Dims dims;
};

#define ZP_OP(name, domain, min_inputs, max_inputs, rule, ...) Status rule##_shape(InferenceContext& context);
#include "zeropoint/toolchain/ops.inc"

}  // namespace zeropoint::toolchain
