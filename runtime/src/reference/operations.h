#pragma once

// One function per operation, in plain loops, from verified operations and tensors of the types they were
// verified with. Shapes that do not fit are kInvalidArgument. `type` is that of the output.

#include <span>

#include "zeropoint/program.h"
#include "zeropoint/tensor.h"

namespace zeropoint::reference {

Result<Tensor> run(const QuantizeOp& op, const Tensor& input, ElementType type);
Result<Tensor> run(const DequantizeOp& op, const Tensor& input, ElementType type);
/// Of what the convolution gives; kInvalidArgument where its weights do not fit the input.
Result<Shape> output_shape(const ConvOp& op, const Shape& input);
Result<Tensor> run(const ConvOp& op, const Tensor& input, ElementType type);
Result<Tensor> run(const FullyConnectedOp& op, const Tensor& input, ElementType type);
Result<Tensor> run(const MatMulOp& op, const Tensor& a, const Tensor& b, ElementType type);
Result<Tensor> run(const AddOp& op, const Tensor& a, const Tensor& b, ElementType type);
Result<Tensor> run(const TableOp& op, const Tensor& input, ElementType type);
/// kResourceExhausted when its steps would take more than `most_bytes` together.
Result<Tensor> run(const ArithmeticOp& op, std::span<const Tensor* const> inputs, ElementType type,
                   std::size_t most_bytes = std::size_t{1} << 40);
Result<Tensor> run(const ReduceOp& op, const Tensor& input, ElementType type);
Result<Tensor> run(const AveragePoolOp& op, const Tensor& input, ElementType type);
Result<Tensor> run(const SoftmaxOp& op, const Tensor& input, ElementType type);
Result<Tensor> run(const NormalizeOp& op, const Tensor& input, ElementType type);

}  // namespace zeropoint::reference
