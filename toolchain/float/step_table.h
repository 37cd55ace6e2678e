#pragma once

#include "float/step.h"

namespace zeropoint::toolchain {

// One function per operator that has more than its plain evaluation, in the file of its family. nullptr: not
// for this node's types, shapes or attributes.
Result<std::unique_ptr<NodeStep>> prepare_average_pool(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_binary(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_clip(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_conv(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_gemm(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_global_pool(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_matmul(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_max_pool(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_relu(StepBuilder& builder);
Result<std::unique_ptr<NodeStep>> prepare_reshape(StepBuilder& builder);

/// Any operator: its plain evaluation.
Result<std::unique_ptr<NodeStep>> prepare_operator(StepBuilder& builder);

}  // namespace zeropoint::toolchain
