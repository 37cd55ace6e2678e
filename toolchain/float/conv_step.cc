#include "float/builders.h"
#include "float/step_table.h"

namespace zeropoint::toolchain {
namespace {

using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;

/// The shape under which oneDNN knows the weights: [M, C / group, kernel...], with the groups as an axis of
/// their own where there are several.
Shape weights_shape(const Shape& weights, std::int64_t group) {
  Shape shape = weights;
  if (group > 1) {
    shape[0] /= group;
    shape.insert(shape.begin(), group);
  }
  return shape;
}

class ConvStep final : public NodeStep {
 public:
  ConvStep(StepBuilder& builder, WindowGeometry window)
      : window_(std::move(window)),
        weights_shape_(weights_shape(builder.shape(1), int_attribute(builder.node(), "group"))),
        output_shape_(builder.output_shape()),
        has_bias_(builder.has_input(2)),
        forward_(builder.stream()) {
    LinearDescs descs = any_descs(builder.shape(0));
    if (has_bias_) {
      descs.bias = plain_desc(builder.shape(2));
    }
    desc_ = convolution(builder.engine(), descs, window_, {.training = builder.training()});
    PrimitiveStep::Arguments arguments = {
        {DNNL_ARG_SRC, builder.input(0, desc_.src_desc())},
        {DNNL_ARG_WEIGHTS, builder.input(1, desc_.weights_desc(), plain_desc(weights_shape_))},
        {DNNL_ARG_DST, builder.output(desc_.dst_desc())}};
    if (has_bias_) {
      arguments.emplace(DNNL_ARG_BIAS, builder.plain_input(2));
    }
    forward_.add(Forward(desc_), std::move(arguments));
  }

  Status run() override { return forward_.run(); }

  Result<std::unique_ptr<Step>> prepare_gradient(GradientBuilder& builder) override {
    auto step = std::make_unique<PrimitiveStep>(builder.stream());
    if (builder.wanted(1) || (has_bias_ && builder.wanted(2))) {
      add_weights_gradient(builder, *step);
    }
    if (builder.wanted(0)) {
      add_data_gradient(builder, *step);
    }
    return std::unique_ptr<Step>(std::move(step));
  }

 private:
  [[nodiscard]] LinearDescs any_descs(const Shape& src) const {
    return {any_desc(src), any_desc(weights_shape_), std::nullopt, any_desc(output_shape_)};
  }

  void add_weights_gradient(GradientBuilder& builder, PrimitiveStep& step) const {
    LinearDescs descs = any_descs(builder.shape(0));
    bool with_bias = has_bias_ && builder.wanted(2);
    if (with_bias) {
      descs.bias = plain_desc(builder.shape(2));
    }
    auto desc = convolution_backward_weights(builder.engine(), descs, window_, desc_);
    MemoryDesc plain = plain_desc(weights_shape_);
    dnnl::memory diff_weights = builder.wanted(1) ? builder.input_gradient(1, desc.diff_weights_desc(), plain)
                                                  : dnnl::memory(desc.diff_weights_desc(), builder.engine());
    PrimitiveStep::Arguments arguments = {{DNNL_ARG_SRC, builder.input(0, desc.src_desc())},
                                          {DNNL_ARG_DIFF_DST, builder.output_gradient(desc.diff_dst_desc())},
                                          {DNNL_ARG_DIFF_WEIGHTS, diff_weights}};
    if (with_bias) {
      arguments.emplace(DNNL_ARG_DIFF_BIAS, builder.input_gradient(2, *descs.bias));
    }
    step.add(BackwardWeights(desc), std::move(arguments));
  }

  void add_data_gradient(GradientBuilder& builder, PrimitiveStep& step) const {
    auto desc = convolution_backward_data(builder.engine(), any_descs(builder.shape(0)), window_, desc_);
    step.add(BackwardData(desc),
             {{DNNL_ARG_WEIGHTS, builder.input(1, desc.weights_desc(), plain_desc(weights_shape_))},
              {DNNL_ARG_DIFF_DST, builder.output_gradient(desc.diff_dst_desc())},
              {DNNL_ARG_DIFF_SRC, builder.input_gradient(0, desc.diff_src_desc())}});
  }

  WindowGeometry window_;
  Shape weights_shape_;
  Shape output_shape_;
  bool has_bias_;
  Forward::primitive_desc desc_;
  PrimitiveStep forward_;
};

}  // namespace

Result<std::unique_ptr<NodeStep>> prepare_conv(StepBuilder& builder) {
  const Shape& weights = builder.shape(1);
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(builder.node(), dims_of(builder.shape(0)),
                                                             {weights.begin() + 2, weights.end()}));
  return std::unique_ptr<NodeStep>(std::make_unique<ConvStep>(builder, std::move(window)));
}

}  // namespace zeropoint::toolchain
