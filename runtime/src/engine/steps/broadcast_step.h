#pragma once

#include <vector>

#include "engine/step.h"
#include "operators/broadcast.h"

namespace zeropoint::engine {

/// An elementwise operator: its inner loop over rows of operands that are broadcast to each other.
class BroadcastStep : public Step {
 public:
  BroadcastStep(operators::BroadcastWalk walk, operators::RowKernel kernel, std::vector<Place> inputs,
                Place output)
      : walk_(std::move(walk)),
        kernel_(std::move(kernel)),
        inputs_(std::move(inputs)),
        output_(output),
        memory_(inputs_.size()) {}

  Status run(const RunContext& context) override {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      memory_[i] = context.at(inputs_[i]);
    }
    walk_.run(memory_, context.at(output_), kernel_);
    return {};
  }

 private:
  operators::BroadcastWalk walk_;
  operators::RowKernel kernel_;
  std::vector<Place> inputs_;
  Place output_;
  std::vector<const std::byte*> memory_;
};

}  // namespace zeropoint::engine
