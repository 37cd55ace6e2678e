// Operators that give the same elements another shape.

#include "float/builders.h"
#include "float/step_table.h"

namespace zeropoint::toolchain {
namespace {

class ReshapeStep final : public NodeStep {
 public:
  explicit ReshapeStep(StepBuilder& builder) { builder.forward_input(0); }

  Status run() override { return {}; }

  Result<std::unique_ptr<Step>> prepare_gradient(GradientBuilder& builder) override {
    builder.forward_gradient(0);
    return std::unique_ptr<Step>();
  }
};

}  // namespace

Result<std::unique_ptr<NodeStep>> prepare_reshape(StepBuilder& builder) {
  return std::unique_ptr<NodeStep>(std::make_unique<ReshapeStep>(builder));
}

}  // namespace zeropoint::toolchain
