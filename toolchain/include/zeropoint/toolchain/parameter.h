#pragma once

#include <string>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::toolchain {

/// A tensor that training changes, and the gradient of the loss with respect to it. Both float32, same shape.
struct Parameter {
  std::string name;
  ValueId value = kNoValue;  ///< the constant of the graph that it started from
  Tensor data;
  Tensor gradient;
};

/// The constants that training changes: the float32 weights and biases of Conv and Gemm, in the order of the
/// nodes that read them first.
std::vector<ValueId> trainable_values(const Graph& graph);

/// The tensors of trainable_values() by name.
StateDict parameters_of(const Graph& graph);

/// Replaces the tensors of trainable_values() by those of the same name; float16, bfloat16 and float64 are
/// converted to float32. Nothing is changed when there is an error: kInvalidArgument that names every missing
/// and every unexpected tensor, or the one whose shape or type is wrong or that holds a NaN or an infinity.
Status load_parameters(Graph& graph, const StateDict& tensors);

}  // namespace zeropoint::toolchain
