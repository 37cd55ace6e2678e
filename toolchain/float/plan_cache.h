#pragma once

#include <memory>
#include <span>
#include <vector>

#include "float/plan.h"

namespace zeropoint::toolchain {

/// The plans of one network, one per combination of input shapes. The last few are kept: full batches, the
/// last partial batch of a data set, and single samples alternate without being prepared again.
class PlanCache {
 public:
  explicit PlanCache(Network& network) : network_(network) {}

  /// The plan for `inputs`, or nullptr where a shape is only known in a run; an error names the input that
  /// does not fit the graph.
  Result<Plan*> plan_for(std::span<const Tensor> inputs, bool observed);

 private:
  Network& network_;
  std::vector<std::unique_ptr<Plan>> plans_;  // most recently used first
};

}  // namespace zeropoint::toolchain
