#pragma once

#include <string>

#include "zeropoint/operations.h"

namespace zeropoint::engine {

/// What an operation is, in few words: "Conv 3x3/2, 32 groups", "Softmax", "Gather".
std::string describe(const Operation& operation);
// Without them an operation would be copied into an Operation, weights and all.
std::string describe(const QuantizeOp& op);
std::string describe(const DequantizeOp& op);
std::string describe(const ConvOp& op);
std::string describe(const FullyConnectedOp& op);
std::string describe(const MatMulOp& op);
std::string describe(const AddOp& op);
std::string describe(const TableOp& op);
std::string describe(const ArithmeticOp& op);
std::string describe(const ReduceOp& op);
std::string describe(const AveragePoolOp& op);
std::string describe(const SoftmaxOp& op);
std::string describe(const NormalizeOp& op);
std::string describe(const EvaluateOp& op);

}  // namespace zeropoint::engine
