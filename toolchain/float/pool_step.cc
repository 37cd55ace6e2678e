#include <algorithm>
#include <cmath>

#include "float/builders.h"
#include "float/step_table.h"

namespace zeropoint::toolchain {
namespace {

bool has_nan(const dnnl::memory& memory) {
  const auto* x = static_cast<const float*>(memory.get_data_handle());
  auto count = static_cast<std::int64_t>(memory.get_desc().get_size() / sizeof(float));
  int nans = 0;
  constexpr std::int64_t kWorthThreads = std::int64_t{1} << 15;
#pragma omp parallel for reduction(| : nans) if (count > kWorthThreads)
  for (std::int64_t i = 0; i < count; ++i) {
    nans |= static_cast<int>(std::isnan(x[i]));
  }
  return nans != 0;
}

class PoolStep final : public NodeStep {
 public:
  PoolStep(StepBuilder& builder, PoolKind kind, WindowGeometry window)
      : node_(builder.node()),
        input_shape_(builder.shape(0)),
        output_shape_(builder.output_shape()),
        kind_(kind),
        window_(std::move(window)),
        stream_(builder.stream()),
        forward_(builder.stream()) {
    // The layout in which the input was made serves as well as any other: no reorder.
    MemoryDesc src = builder.layout(0);
    desc_ = pool(builder.engine(), kind_, src, any_desc(builder.output_shape()), window_,
                 {.training = builder.training()});
    input_ = builder.input(0, src);
    output_ = builder.output(desc_.dst_desc());
    PrimitiveStep::Arguments arguments = {{DNNL_ARG_SRC, input_}, {DNNL_ARG_DST, output_}};
    if (builder.training() && kind_ == PoolKind::kMax) {
      workspace_ = dnnl::memory(desc_.workspace_desc(), builder.engine());
      arguments.emplace(DNNL_ARG_WORKSPACE, workspace_);
    }
    forward_.add(PoolPrimitive(desc_), std::move(arguments));
  }

  /// Where a NaN is compared with numbers oneDNN drops it.
  Status run() override {
    return kind_ == PoolKind::kMax && has_nan(input_) ? run_plainly() : forward_.run();
  }

  Result<std::unique_ptr<Step>> prepare_gradient(GradientBuilder& builder) override {
    auto desc =
        pool_backward(builder.engine(), kind_, any_desc(builder.shape(0)), desc_.dst_desc(), window_, desc_);
    auto step = std::make_unique<PrimitiveStep>(builder.stream());
    PrimitiveStep::Arguments arguments = {
        {DNNL_ARG_DIFF_DST, builder.output_gradient(desc.diff_dst_desc())},
        {DNNL_ARG_DIFF_SRC, builder.input_gradient(0, desc.diff_src_desc())}};
    if (kind_ == PoolKind::kMax) {
      arguments.emplace(DNNL_ARG_WORKSPACE, workspace_);
    }
    step->add(PoolBackwardPrimitive(desc), std::move(arguments));
    return std::unique_ptr<Step>(std::move(step));
  }

 private:
  Status run_plainly() {
    Tensor x(ElementType::kFloat32, input_shape_);
    copy(input_, dnnl::memory(plain_desc(input_shape_), stream_.get_engine(), x.bytes()));
    const Tensor* argument = &x;
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> y,
                        evaluate(OperatorCall(node_.op, node_.attributes, {&argument, 1})));
    copy(dnnl::memory(plain_desc(output_shape_), stream_.get_engine(), y[0].bytes()), output_);
    return {};
  }

  void copy(const dnnl::memory& from, const dnnl::memory& to) {
    dnnl::reorder(reorder(stream_.get_engine(), from.get_desc(), to.get_desc()))
        .execute(stream_, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
  }

  Node node_;
  Shape input_shape_;
  Shape output_shape_;
  PoolKind kind_;
  WindowGeometry window_;
  dnnl::stream stream_;
  dnnl::memory input_;
  dnnl::memory output_;
  PoolDesc desc_;
  dnnl::memory workspace_;
  PrimitiveStep forward_;
};

/// Whether the last windows end where the padding does, as oneDNN's means assume.
bool ends_with_padding(const WindowGeometry& window) {
  for (std::size_t i = 0; i < window.output.size(); ++i) {
    std::int64_t end = (window.output[i] - 1) * window.strides[i] + window.kernel[i];
    if (end > window.input[i] + window.pads_begin[i] + window.pads_end[i]) {
      return false;
    }
  }
  return true;
}

bool has_few_axes(const StepBuilder& builder) { return builder.shape(0).size() <= 5; }

}  // namespace

Result<std::unique_ptr<NodeStep>> prepare_max_pool(StepBuilder& builder) {
  if (builder.node().outputs.size() != 1 || !has_few_axes(builder)) {
    return std::unique_ptr<NodeStep>();
  }
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(builder.node(), dims_of(builder.shape(0)), {}));
  return std::unique_ptr<NodeStep>(std::make_unique<PoolStep>(builder, PoolKind::kMax, std::move(window)));
}

Result<std::unique_ptr<NodeStep>> prepare_average_pool(StepBuilder& builder) {
  if (!has_few_axes(builder)) {
    return std::unique_ptr<NodeStep>();
  }
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(builder.node(), dims_of(builder.shape(0)), {}));
  bool dilated =
      std::any_of(window.dilations.begin(), window.dilations.end(), [](std::int64_t d) { return d != 1; });
  bool counts_padding = int_attribute(builder.node(), "count_include_pad") != 0;
  if (dilated || (counts_padding && !ends_with_padding(window))) {
    return std::unique_ptr<NodeStep>();
  }
  PoolKind kind = counts_padding ? PoolKind::kMeanWithPadding : PoolKind::kMean;
  return std::unique_ptr<NodeStep>(std::make_unique<PoolStep>(builder, kind, std::move(window)));
}

Result<std::unique_ptr<NodeStep>> prepare_global_pool(StepBuilder& builder) {
  if (!has_few_axes(builder) || builder.shape(0).size() < 3) {
    return std::unique_ptr<NodeStep>();
  }
  const Shape& shape = builder.shape(0);
  WindowGeometry window;
  window.input.assign(shape.begin() + 2, shape.end());
  window.kernel = window.input;
  for (std::vector<std::int64_t>* ones : {&window.strides, &window.dilations, &window.output}) {
    ones->assign(window.input.size(), 1);
  }
  for (std::vector<std::int64_t>* zeros : {&window.pads_begin, &window.pads_end}) {
    zeros->assign(window.input.size(), 0);
  }
  PoolKind kind = builder.node().op == Op::kGlobalMaxPool ? PoolKind::kMax : PoolKind::kMean;
  return std::unique_ptr<NodeStep>(std::make_unique<PoolStep>(builder, kind, std::move(window)));
}

}  // namespace zeropoint::toolchain
