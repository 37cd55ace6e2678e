#include <utility>

#include "float/builders.h"
#include "float/step_table.h"

namespace zeropoint::toolchain {
namespace {

/// A row-major matrix read as its transpose where `transposed` says so.
MemoryDesc matrix_desc(const Shape& shape, bool transposed) {
  return transposed ? strided_desc({shape[1], shape[0]}, {1, shape[1]}) : plain_desc(shape);
}

/// y[N, M] = x[N, K] w[M, K]^T + b[M]: the usual fully connected layer.
class InnerProductStep final : public NodeStep {
 public:
  explicit InnerProductStep(StepBuilder& builder)
      // Weights [K, M] are read as [M, K] through their strides.
      : weights_plain_(matrix_desc(builder.shape(1), int_attribute(builder.node(), "transB") == 0)),
        output_shape_(builder.output_shape()),
        has_bias_(builder.has_input(2)),
        forward_(builder.stream()) {
    LinearDescs descs = any_descs(builder.shape(0));
    MemoryDesc bias = plain_desc({output_shape_[1]});
    if (has_bias_) {
      descs.bias = bias;
    }
    desc_ = inner_product(builder.engine(), descs, {.training = builder.training()});
    PrimitiveStep::Arguments arguments = {
        {DNNL_ARG_SRC, builder.input(0, desc_.src_desc())},
        {DNNL_ARG_WEIGHTS, builder.input(1, desc_.weights_desc(), weights_plain_)},
        {DNNL_ARG_DST, builder.output(desc_.dst_desc())}};
    if (has_bias_) {
      arguments.emplace(DNNL_ARG_BIAS, builder.input(2, bias, bias));
    }
    forward_.add(dnnl::inner_product_forward(desc_), std::move(arguments));
  }

  Status run() override { return forward_.run(); }

  Result<std::unique_ptr<Step>> prepare_gradient(GradientBuilder& builder) override {
    auto step = std::make_unique<PrimitiveStep>(builder.stream());
    if (builder.wanted(1) || builder.wanted(2)) {
      add_weights_gradient(builder, *step);
    }
    if (builder.wanted(0)) {
      auto desc = inner_product_backward_data(builder.engine(), any_descs(builder.shape(0)), desc_);
      step->add(dnnl::inner_product_backward_data(desc),
                {{DNNL_ARG_WEIGHTS, builder.input(1, desc.weights_desc(), weights_plain_)},
                 {DNNL_ARG_DIFF_DST, builder.output_gradient(desc.diff_dst_desc())},
                 {DNNL_ARG_DIFF_SRC, builder.input_gradient(0, desc.diff_src_desc())}});
    }
    return std::unique_ptr<Step>(std::move(step));
  }

 private:
  [[nodiscard]] LinearDescs any_descs(const Shape& src) const {
    return {any_desc(src), any_desc({output_shape_[1], src[1]}), std::nullopt, any_desc(output_shape_)};
  }

  void add_weights_gradient(GradientBuilder& builder, PrimitiveStep& step) const {
    LinearDescs descs = any_descs(builder.shape(0));
    MemoryDesc bias = plain_desc({output_shape_[1]});
    if (builder.wanted(2)) {
      descs.bias = bias;
    }
    auto desc = inner_product_backward_weights(builder.engine(), descs, desc_);
    dnnl::memory diff_weights = builder.wanted(1)
                                    ? builder.input_gradient(1, desc.diff_weights_desc(), weights_plain_)
                                    : dnnl::memory(desc.diff_weights_desc(), builder.engine());
    PrimitiveStep::Arguments arguments = {{DNNL_ARG_SRC, builder.input(0, desc.src_desc())},
                                          {DNNL_ARG_DIFF_DST, builder.output_gradient(desc.diff_dst_desc())},
                                          {DNNL_ARG_DIFF_WEIGHTS, diff_weights}};
    if (builder.wanted(2)) {
      arguments.emplace(DNNL_ARG_DIFF_BIAS, builder.input_gradient(2, bias, bias));
    }
    step.add(dnnl::inner_product_backward_weights(desc), std::move(arguments));
  }

  MemoryDesc weights_plain_;
  Shape output_shape_;
  bool has_bias_;
  dnnl::inner_product_forward::primitive_desc desc_;
  PrimitiveStep forward_;
};

/// Gemm as ONNX has it: y = alpha A' B' + beta C, with C broadcast to the result.
class GemmStep final : public NodeStep {
 public:
  explicit GemmStep(StepBuilder& builder)
      : rows_(builder.output_shape()[0]),
        columns_(builder.output_shape()[1]),
        beta_(float_attribute(builder.node(), "beta")),
        product_(builder.stream()) {
    MemoryDesc a = matrix_desc(builder.shape(0), int_attribute(builder.node(), "transA") != 0);
    MemoryDesc b = matrix_desc(builder.shape(1), int_attribute(builder.node(), "transB") != 0);
    dnnl::memory output = builder.plain_output();
    auto desc = matrix_product(builder.engine(), a, b, output.get_desc(),
                               {.alpha = float_attribute(builder.node(), "alpha")});
    product_.add(dnnl::matmul(desc), {{DNNL_ARG_SRC, builder.input(0, a, a)},
                                      {DNNL_ARG_WEIGHTS, builder.input(1, b, b)},
                                      {DNNL_ARG_DST, output}});
    output_ = static_cast<float*>(output.get_data_handle());
    if (builder.has_input(2) && beta_ != 0.0F) {
      added_ = reinterpret_cast<const float*>(builder.plain_bytes(2));
      const Shape& shape = builder.shape(2);
      std::int64_t c_columns = shape.empty() ? 1 : shape.back();
      std::int64_t c_rows = shape.size() < 2 ? 1 : shape[0];
      column_step_ = c_columns == 1 ? 0 : 1;
      row_step_ = c_rows == 1 ? 0 : c_columns;
    }
  }

  Status run() override {
    ZP_RETURN_IF_ERROR(product_.run());
    if (added_ == nullptr) {
      return {};
    }
    for (std::int64_t row = 0; row < rows_; ++row) {
      for (std::int64_t column = 0; column < columns_; ++column) {
        output_[row * columns_ + column] +=
            beta_ * added_[static_cast<std::size_t>(row * row_step_ + column * column_step_)];
      }
    }
    return {};
  }

 private:
  std::int64_t rows_;
  std::int64_t columns_;
  float beta_;
  PrimitiveStep product_;
  float* output_ = nullptr;
  const float* added_ = nullptr;
  std::int64_t row_step_ = 0;
  std::int64_t column_step_ = 0;
};

Status check_addend(const StepBuilder& builder) {
  if (!builder.has_input(2)) {
    return {};
  }
  const Shape& addend = builder.shape(2);
  const Shape& output = builder.output_shape();
  auto fits = [&](std::size_t from_end) {
    return addend.size() < from_end || addend[addend.size() - from_end] == 1 ||
           addend[addend.size() - from_end] == output[output.size() - from_end];
  };
  if (builder.type(2) == ElementType::kFloat32 && addend.size() <= 2 && fits(1) && fits(2)) {
    return {};
  }
  return Status::invalid_argument("addend " + zeropoint::to_string(addend) +
                                  " cannot be broadcast to float32 " + zeropoint::to_string(output));
}

}  // namespace

Result<std::unique_ptr<NodeStep>> prepare_gemm(StepBuilder& builder) {
  ZP_RETURN_IF_ERROR(check_addend(builder));
  const Node& node = builder.node();
  // One addend per column, as a layer's bias is; anything else is broadcast in the general step.
  bool is_bias = !builder.has_input(2) ||
                 (*element_count(builder.shape(2)) == builder.output_shape()[1] &&
                  !builder.shape(2).empty() && builder.shape(2).back() == builder.output_shape()[1]);
  bool is_layer = is_bias && int_attribute(node, "transA") == 0 && float_attribute(node, "alpha") == 1.0F &&
                  (float_attribute(node, "beta") == 1.0F || !builder.has_input(2));
  std::unique_ptr<NodeStep> step;
  if (is_layer) {
    step = std::make_unique<InnerProductStep>(builder);
  } else {
    step = std::make_unique<GemmStep>(builder);
  }
  return step;
}

}  // namespace zeropoint::toolchain
