#include <algorithm>
#include <cmath>
#include <limits>

#include "float/builders.h"
#include "float/step_table.h"

namespace zeropoint::toolchain {
namespace {

class ReluStep final : public NodeStep {
 public:
  explicit ReluStep(StepBuilder& builder) : forward_(builder.stream()) {
    MemoryDesc layout = builder.layout(0);
    desc_ = relu(builder.engine(), layout, {.training = builder.training()});
    if (builder.relu_is_fused()) {
      output_ = builder.input(0, layout);
      builder.share_input(0);
    } else {
      output_ = builder.output(layout);
      forward_.add(dnnl::eltwise_forward(desc_),
                   {{DNNL_ARG_SRC, builder.input(0, layout)}, {DNNL_ARG_DST, output_}});
    }
  }

  Status run() override { return forward_.run(); }

  Result<std::unique_ptr<Step>> prepare_gradient(GradientBuilder& builder) override {
    MemoryDesc layout = output_.get_desc();
    auto desc = relu_backward(builder.engine(), layout, layout, desc_);
    dnnl::memory gradient = builder.output_gradient(layout);
    auto step = std::make_unique<PrimitiveStep>(builder.stream());
    step->add(dnnl::eltwise_backward(desc), {{DNNL_ARG_DST, output_},
                                             {DNNL_ARG_DIFF_DST, gradient},
                                             {DNNL_ARG_DIFF_SRC, builder.input_gradient_over(0, gradient)}});
    return std::unique_ptr<Step>(std::move(step));
  }

 private:
  dnnl::eltwise_forward::primitive_desc desc_;
  dnnl::memory output_;
  PrimitiveStep forward_;
};

/// Clip between constants, in the layout in which the input comes.
class ClipStep final : public NodeStep {
 public:
  ClipStep(StepBuilder& builder, float low, float high) : forward_(builder.stream()) {
    MemoryDesc layout = builder.layout(0);
    forward_.add(dnnl::eltwise_forward(clip(builder.engine(), layout, low, high)),
                 {{DNNL_ARG_SRC, builder.input(0, layout)}, {DNNL_ARG_DST, builder.output(layout)}});
  }

  Status run() override { return forward_.run(); }

 private:
  PrimitiveStep forward_;
};

/// The bound at input `i` when it is known now, `open` when there is none, NaN when it will be computed.
float known_bound(const StepBuilder& builder, std::size_t i, float open) {
  if (!builder.has_input(i)) {
    return open;
  }
  const Tensor* bound = builder.constant(i);
  return bound != nullptr && bound->size() == 1 ? bound->data<float>()[0]
                                                : std::numeric_limits<float>::quiet_NaN();
}

}  // namespace

Result<std::unique_ptr<NodeStep>> prepare_relu(StepBuilder& builder) {
  return std::unique_ptr<NodeStep>(std::make_unique<ReluStep>(builder));
}

Result<std::unique_ptr<NodeStep>> prepare_clip(StepBuilder& builder) {
  float low = known_bound(builder, 1, std::numeric_limits<float>::lowest());
  float high = known_bound(builder, 2, std::numeric_limits<float>::max());
  std::unique_ptr<NodeStep> step;
  if (std::isfinite(low) && std::isfinite(high) && low <= high) {
    step = std::make_unique<ClipStep>(builder, low, high);
  }
  return step;
}

}  // namespace zeropoint::toolchain
