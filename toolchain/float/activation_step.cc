#include <cstdint>
#include <limits>

#include "float/builders.h"
#include "float/step_table.h"

namespace zeropoint::toolchain {
namespace {

/// to[i] = function(from[i]) for all floats of the two memories, which have one layout: where it fills up
/// with zeros, function(0) must be 0. oneDNN's own loops make a number of a NaN.
template <typename Function>
void transform(const dnnl::memory& from, const dnnl::memory& to, Function function) {
  const auto* in = static_cast<const float*>(from.get_data_handle());
  auto* out = static_cast<float*>(to.get_data_handle());
  auto count = static_cast<std::int64_t>(from.get_desc().get_size() / sizeof(float));
  constexpr std::int64_t kWorthThreads = std::int64_t{1} << 15;
#pragma omp parallel for if (count > kWorthThreads)
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = function(in[i]);
  }
}

class ReluStep final : public NodeStep {
 public:
  explicit ReluStep(StepBuilder& builder) {
    MemoryDesc layout = builder.layout(0);
    input_ = builder.input(0, layout);
    if (builder.may_overwrite_input(0)) {
      output_ = input_;
      builder.share_input(0);
    } else {
      output_ = builder.output(layout);
    }
  }

  Status run() override {
    transform(input_, output_, [](float x) { return x < 0.0F ? 0.0F : x; });
    return {};
  }

  Result<std::unique_ptr<Step>> prepare_gradient(GradientBuilder& builder) override {
    MemoryDesc layout = output_.get_desc();
    auto desc = relu_backward(builder.engine(), layout, layout, relu(builder.engine(), layout));
    dnnl::memory gradient = builder.output_gradient(layout);
    auto step = std::make_unique<PrimitiveStep>(builder.stream());
    step->add(dnnl::eltwise_backward(desc), {{DNNL_ARG_DST, output_},
                                             {DNNL_ARG_DIFF_DST, gradient},
                                             {DNNL_ARG_DIFF_SRC, builder.input_gradient_over(0, gradient)}});
    return std::unique_ptr<Step>(std::move(step));
  }

 private:
  dnnl::memory input_;
  dnnl::memory output_;
};

/// Clip between constants, in the layout in which the input comes if that may be.
class ClipStep final : public NodeStep {
 public:
  ClipStep(StepBuilder& builder, float low, float high) : low_(low), high_(high) {
    bool keeps_zero = low <= 0 && high >= 0;
    MemoryDesc layout = keeps_zero ? builder.layout(0) : plain_desc(builder.shape(0));
    input_ = builder.input(0, layout);
    output_ = builder.output(layout);
  }

  Status run() override {
    transform(input_, output_, [low = low_, high = high_](float x) {
      float raised = x < low ? low : x;
      return raised > high ? high : raised;
    });
    return {};
  }

 private:
  float low_;
  float high_;
  dnnl::memory input_;
  dnnl::memory output_;
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
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  float low = known_bound(builder, 1, -kInfinity);
  float high = known_bound(builder, 2, kInfinity);
  std::unique_ptr<NodeStep> step;
  if (low <= high) {
    step = std::make_unique<ClipStep>(builder, low, high);
  }
  return step;
}

}  // namespace zeropoint::toolchain
