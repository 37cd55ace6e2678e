#pragma once

#include "float/step.h"

namespace zeropoint::toolchain {

// One function per operator, in the file of its family.
Result<std::unique_ptr<NodeStep>> prepare_clip(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_conv(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_dequantize_linear(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_flatten(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_gemm(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_max_pool(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_quantize_linear(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_relu(StepBuilder& builder);

}  // namespace zeropoint::toolchain
