#include <algorithm>
#include <limits>

#include "float/builders.h"
#include "float/step_table.h"

namespace zeropoint::toolchain {
namespace {

class PoolStep final : public NodeStep {
 public:
  PoolStep(StepBuilder& builder, PoolKind kind, WindowGeometry window)
      : kind_(kind), window_(std::move(window)), forward_(builder.stream()) {
    // The layout in which the input was made serves as well as any other: no reorder.
    MemoryDesc src = builder.layout(0);
    desc_ = pool(builder.engine(), kind_, src, any_desc(builder.output_shape()), window_,
                 {.training = builder.training()});
    PrimitiveStep::Arguments arguments = {{DNNL_ARG_SRC, builder.input(0, src)},
                                          {DNNL_ARG_DST, builder.output(desc_.dst_desc())}};
    if (builder.training() && kind_ == PoolKind::kMax) {
      workspace_ = dnnl::memory(desc_.workspace_desc(), builder.engine());
      arguments.emplace(DNNL_ARG_WORKSPACE, workspace_);
    }
    forward_.add(PoolPrimitive(desc_), std::move(arguments));
  }

  Status run() override { return forward_.run(); }

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
  PoolKind kind_;
  WindowGeometry window_;
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

bool has_elements(const StepBuilder& builder) {
  return *element_count(builder.shape(0)) > 0 && builder.shape(0).size() <= 5;
}

}  // namespace

Result<std::unique_ptr<NodeStep>> prepare_max_pool(StepBuilder& builder) {
  if (builder.node().outputs.size() != 1 || !has_elements(builder)) {
    return std::unique_ptr<NodeStep>();
  }
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(builder.node(), dims_of(builder.shape(0)), {}));
  return std::unique_ptr<NodeStep>(std::make_unique<PoolStep>(builder, PoolKind::kMax, std::move(window)));
}

Result<std::unique_ptr<NodeStep>> prepare_average_pool(StepBuilder& builder) {
  if (!has_elements(builder)) {
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
  if (!has_elements(builder) || builder.shape(0).size() < 3) {
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
