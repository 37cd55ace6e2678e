#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

struct ArchitectureOptions {
  std::int64_t classes = 10;
  std::uint64_t seed = 0;  ///< of the initial weights
};

/// The names that make_architecture() knows.
std::vector<std::string> architecture_names();

/// A network by name, with fresh weights: uniform within +-1 / sqrt(fan_in) for weights and biases, PyTorch's
/// default. The same seed gives the same bits on every machine.
///
/// "lenet": LeNet-5 (LeCun et al. 1998) with ReLU and max pooling, from "input" [N, 1, 28, 28] to "logits"
/// [N, classes]; parameters conv1.weight [6, 1, 5, 5], conv2 16 5x5, fc1.weight [120, 256], fc2 84, fc3.
///
/// kInvalidArgument for a name that is not known, naming those that are, and for fewer than one class.
Result<Graph> make_architecture(std::string_view name, ArchitectureOptions options = {});

}  // namespace zeropoint::toolchain
