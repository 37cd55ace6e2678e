#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// A node as a model has it: an operator by name, in the form of the model's opset.
struct OnnxNode {
  std::string op;
  std::string domain;  ///< "" for ONNX's own
  std::string name;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Attributes attributes;
  std::int64_t opset = 0;  ///< of its domain
};

}  // namespace zeropoint::toolchain
