#pragma once

#include <string>

#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// A tensor that training changes, and the gradient of the loss with respect to it. Both float32, same shape.
struct Parameter {
  std::string name;
  ValueId value = kNoValue;  ///< the constant of the graph that it started from
  Tensor data;
  Tensor gradient;
};

}  // namespace zeropoint::toolchain
