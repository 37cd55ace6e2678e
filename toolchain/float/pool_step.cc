#include <algorithm>
#include <limits>

#include "float/builders.h"
#include "float/step_table.h"

namespace zeropoint::toolchain {
namespace {

class MaxPoolStep final : public NodeStep {
 public:
  MaxPoolStep(StepBuilder& builder, WindowGeometry window)
      : window_(std::move(window)), forward_(builder.stream()) {
    // The layout in which the input was made serves as well as any other: no reorder.
    MemoryDesc src = builder.layout(0);
    desc_ = max_pool(builder.engine(), src, any_desc(builder.output_shape()), window_,
                     {.training = builder.training()});
    PrimitiveStep::Arguments arguments = {{DNNL_ARG_SRC, builder.input(0, src)},
                                          {DNNL_ARG_DST, builder.output(desc_.dst_desc())}};
    if (builder.training()) {
      workspace_ = dnnl::memory(desc_.workspace_desc(), builder.engine());
      arguments.emplace(DNNL_ARG_WORKSPACE, workspace_);
    }
    forward_.add(MaxPoolPrimitive(desc_), std::move(arguments));
  }

  Status run() override { return forward_.run(); }

  Result<std::unique_ptr<Step>> prepare_gradient(GradientBuilder& builder) override {
    auto desc =
        max_pool_backward(builder.engine(), any_desc(builder.shape(0)), desc_.dst_desc(), window_, desc_);
    auto step = std::make_unique<PrimitiveStep>(builder.stream());
    step->add(MaxPoolBackwardPrimitive(desc),
              {{DNNL_ARG_DIFF_DST, builder.output_gradient(desc.diff_dst_desc())},
               {DNNL_ARG_WORKSPACE, workspace_},
               {DNNL_ARG_DIFF_SRC, builder.input_gradient(0, desc.diff_src_desc())}});
    return std::unique_ptr<Step>(std::move(step));
  }

 private:
  WindowGeometry window_;
  MaxPoolDesc desc_;
  dnnl::memory workspace_;
  PrimitiveStep forward_;
};

}  // namespace

Result<std::unique_ptr<NodeStep>> prepare_max_pool(StepBuilder& builder) {
  if (builder.node().outputs.size() != 1) {
    return std::unique_ptr<NodeStep>();
  }
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(builder.node(), dims_of(builder.shape(0)), {}));
  return std::unique_ptr<NodeStep>(std::make_unique<MaxPoolStep>(builder, std::move(window)));
}

}  // namespace zeropoint::toolchain
