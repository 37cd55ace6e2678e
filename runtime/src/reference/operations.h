#pragma once

// One function per operation, in plain loops, from verified operands.

#include "zeropoint/program.h"
#include "zeropoint/tensor.h"

namespace zeropoint::reference {

void run(const QuantizeOp& op, const Tensor& input, Tensor& output);
void run(const DequantizeOp& op, const Tensor& input, Tensor& output);
void run(const ConvOp& op, const Tensor& input, Tensor& output);
void run(const FullyConnectedOp& op, const Tensor& input, Tensor& output);
void run(const MaxPoolOp& op, const Tensor& input, Tensor& output);
void run(const ReshapeOp& op, const Tensor& input, Tensor& output);

}  // namespace zeropoint::reference
