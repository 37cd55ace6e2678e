#include "float/builders.h"
#include "float/step_table.h"

namespace zeropoint::toolchain {
namespace {

/// Add or Mul of two tensors of one shape, in the layout in which the first one comes.
class BinaryStep final : public NodeStep {
 public:
  explicit BinaryStep(StepBuilder& builder) : forward_(builder.stream()) {
    MemoryDesc layout = builder.layout(0);
    forward_.add(dnnl::binary(binary(builder.engine(), builder.node().op, layout, layout, layout)),
                 {{DNNL_ARG_SRC_0, builder.input(0, layout)},
                  {DNNL_ARG_SRC_1, builder.input(1, layout)},
                  {DNNL_ARG_DST, builder.output(layout)}});
  }

  Status run() override { return forward_.run(); }

 private:
  PrimitiveStep forward_;
};

}  // namespace

Result<std::unique_ptr<NodeStep>> prepare_binary(StepBuilder& builder) {
  bool alike = builder.shape(0) == builder.shape(1) && builder.shape(0).size() <= 5 &&
               builder.constant(0) == nullptr && builder.constant(1) == nullptr;
  std::unique_ptr<NodeStep> step;
  if (alike) {
    step = std::make_unique<BinaryStep>(builder);
  }
  return step;
}

}  // namespace zeropoint::toolchain
