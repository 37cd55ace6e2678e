#include "engine/packed_weights.h"

#include <algorithm>

#include "engine/steps/float_dot_step.h"

namespace zeropoint::engine {
namespace {

const Tensor* constant(const Program& program, const EvaluateOp& op, std::size_t i) {
  return i < op.inputs.size() && op.inputs[i] != kNoTensor ? program.tensor(op.inputs[i]).constant.get()
                                                           : nullptr;
}

/// MatMul by `id` from the right, of float32.
bool multiplies_by(const Program& program, const Operation& operation, TensorId id) {
  const auto* op = std::get_if<EvaluateOp>(&operation);
  return op != nullptr && op->op == Op::kMatMul && op->inputs.size() == 2 && op->inputs[1] == id &&
         op->inputs[0] != id && op->inputs[0] != kNoTensor &&
         program.tensor(op->inputs[0]).type == ElementType::kFloat32 &&
         program.tensor(op->inputs[0]).constant == nullptr && op->outputs.size() == 1 &&
         op->outputs[0] != kNoTensor && program.tensor(op->outputs[0]).type == ElementType::kFloat32;
}

/// Integers of a type as they are packed: from 0 on.
struct Unsigned {
  int bits;
  std::int32_t shift;
};

std::optional<Unsigned> as_unsigned(ElementType type) {
  switch (type) {
    case ElementType::kInt8:
      return Unsigned{8, 128};
    case ElementType::kUint8:
      return Unsigned{8, 0};
    case ElementType::kInt4:
      return Unsigned{4, 8};
    case ElementType::kUint4:
      return Unsigned{4, 0};
    default:
      return std::nullopt;
  }
}

std::int32_t integer_at(const Tensor& tensor, std::int64_t i) {
  bool is_signed = tensor.type() == ElementType::kInt8 || tensor.type() == ElementType::kInt4;
  auto byte = static_cast<std::uint8_t>(tensor.bytes()[i]);
  return is_signed ? std::int32_t{static_cast<std::int8_t>(byte)} : std::int32_t{byte};
}

}  // namespace

std::optional<DequantizedMatrix> dequantized_matrix(const Program& program, const EvaluateOp& op,
                                                    const std::vector<std::size_t>& readers) {
  const Tensor* integers = constant(program, op, 0);
  const Tensor* scales = constant(program, op, 1);
  bool has_zeros = op.inputs.size() > 2 && op.inputs[2] != kNoTensor;
  const Tensor* zeros = constant(program, op, 2);
  if (op.op != Op::kDequantizeLinear || integers == nullptr || integers->rank() != 2 ||
      integers->size() == 0 || !as_unsigned(integers->type()) || scales == nullptr ||
      scales->type() != ElementType::kFloat32 || has_zeros != (zeros != nullptr) || op.outputs.size() != 1) {
    return std::nullopt;
  }
  TensorId made = op.outputs[0];
  bool given_out = std::ranges::find(program.outputs, made) != program.outputs.end();
  bool multiplied = !readers.empty() && std::ranges::all_of(readers, [&](std::size_t i) {
    return multiplies_by(program, program.operations[i], made);
  });
  if (given_out || !multiplied ||
      (zeros != nullptr && (zeros->size() != scales->size() || zeros->type() != integers->type()))) {
    return std::nullopt;
  }
  std::int64_t k = integers->dim(0);
  std::int64_t n = integers->dim(1);
  std::int64_t axis = int_attribute(op.op, op.attributes, "axis");
  axis += axis < 0 ? 2 : 0;
  std::int64_t block = int_attribute(op.op, op.attributes, "block_size");
  DequantizedMatrix matrix{integers, scales, zeros, k, false};
  if (block == 0 && scales->size() == 1) {
    matrix.one_for_columns = true;
    return matrix;
  }
  if (block == 0 && axis == 1 && scales->shape() == Shape{n}) {
    return matrix;
  }
  if (block > 0 && axis == 0 && scales->shape() == Shape{(k + block - 1) / block, n}) {
    matrix.block = block;
    return matrix;
  }
  return std::nullopt;
}

std::shared_ptr<const FloatWeights> pack_integers(const DequantizedMatrix& matrix) {
  constexpr std::int64_t kPanel = kernels::kFloatPanel;
  std::int64_t k_count = matrix.integers->dim(0);
  std::int64_t n = matrix.integers->dim(1);
  Unsigned how = *as_unsigned(matrix.integers->type());
  auto weights = std::make_shared<FloatWeights>();
  // Pairs of neighbours along k must not belong to two blocks.
  bool in_pairs = how.bits == 4 && (matrix.block % 2 == 0 || matrix.block >= k_count);
  weights->bits = in_pairs ? 4 : 8;
  weights->block = in_pairs ? (matrix.block + 1) / 2 * 2 : matrix.block;
  std::int64_t panels = (n + kPanel - 1) / kPanel;
  std::int64_t lines = in_pairs ? (k_count + 1) / 2 : k_count;
  std::int64_t blocks = (k_count + matrix.block - 1) / matrix.block;
  weights->integers.resize(static_cast<std::size_t>(panels * lines * kPanel));
  weights->scales.resize(static_cast<std::size_t>(panels * blocks * kPanel));
  weights->zeros.resize(weights->scales.size());
  for (std::int64_t c = 0; c < n; ++c) {
    std::int64_t panel = c / kPanel;
    std::int64_t lane = c % kPanel;
    for (std::int64_t b = 0; b < blocks; ++b) {
      auto to = static_cast<std::size_t>((panel * blocks + b) * kPanel + lane);
      std::int64_t from = matrix.one_for_columns ? 0 : b * n + c;
      weights->scales[to] = matrix.scales->data<float>()[static_cast<std::size_t>(from)];
      std::int32_t zero = matrix.zeros == nullptr ? 0 : integer_at(*matrix.zeros, from);
      weights->zeros[to] = static_cast<float>(zero + how.shift);
    }
    for (std::int64_t k = 0; k < k_count; ++k) {
      auto q = static_cast<std::uint8_t>(integer_at(*matrix.integers, k * n + c) + how.shift);
      std::int64_t line = in_pairs ? k / 2 : k;
      std::uint8_t& byte =
          weights->integers[static_cast<std::size_t>((panel * lines + line) * kPanel + lane)];
      byte = static_cast<std::uint8_t>(in_pairs && k % 2 == 1 ? byte | (q << 4) : q);
    }
  }
  return weights;
}

}  // namespace zeropoint::engine
