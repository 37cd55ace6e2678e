#include "float/step_table.h"

#include "float/builders.h"

namespace zeropoint::toolchain {
namespace {

/// What oneDNN computes, in float32.
PrepareStep find_float_step(Op op) {
  switch (op) {
    case Op::kAdd:
    case Op::kMul:
      return prepare_binary;
    case Op::kAveragePool:
      return prepare_average_pool;
    case Op::kClip:
      return prepare_clip;
    case Op::kConv:
      return prepare_conv;
    case Op::kGemm:
      return prepare_gemm;
    case Op::kGlobalAveragePool:
    case Op::kGlobalMaxPool:
      return prepare_global_pool;
    case Op::kMatMul:
      return prepare_matmul;
    case Op::kMaxPool:
      return prepare_max_pool;
    case Op::kRelu:
      return prepare_relu;
    default:
      return nullptr;
  }
}

/// oneDNN refuses most work on nothing.
bool has_elements(const StepBuilder& builder) {
  bool elements = true;
  for (std::size_t i = 0; i < builder.node().inputs.size(); ++i) {
    elements = elements && (!builder.has_input(i) || *element_count(builder.shape(i)) > 0);
  }
  for (std::size_t i = 0; i < builder.node().outputs.size(); ++i) {
    elements = elements && (!builder.has_output(i) || *element_count(builder.output_shape(i)) > 0);
  }
  return elements;
}

PrepareStep find_step(const StepBuilder& builder) {
  switch (builder.node().op) {
    case Op::kFlatten:
    case Op::kIdentity:
      return prepare_reshape;
    default:
      return builder.is_float32() && has_elements(builder) ? find_float_step(builder.node().op) : nullptr;
  }
}

}  // namespace

Result<std::unique_ptr<NodeStep>> prepare_step(StepBuilder& builder) {
  if (PrepareStep prepare = find_step(builder); prepare != nullptr) {
    ZP_ASSIGN_OR_RETURN(std::unique_ptr<NodeStep> step, prepare(builder));
    if (step != nullptr) {
      return step;
    }
  }
  return prepare_operator(builder);
}

}  // namespace zeropoint::toolchain
