#pragma once

// Integer operations of any width, on tensors as the program has them, in plain loops: what has no kernel of
// bytes. Each is what reference/ has, without its tensors.

#include <memory>
#include <vector>

#include "engine/step.h"
#include "operators/axes.h"
#include "operators/broadcast.h"
#include "zeropoint/operations.h"

namespace zeropoint::engine {

/// An integer tensor: where it lies, and its type.
struct Integers {
  Place place;
  ElementType type = ElementType::kInt8;
};

/// QuantizeOp.
class WideQuantizeStep : public Step {
 public:
  Place from;
  Integers to;
  Quantization quantization;
  std::int64_t count = 0;

  Status run(const RunContext& context) override;
};

/// DequantizeOp, with one scale or one for each index of an axis.
class WideDequantizeStep : public Step {
 public:
  Integers from;
  Place to;
  Dequantization dequantization;
  operators::AlongAxis along{1, 1, 1};

  Status run(const RunContext& context) override;
};

/// TableOp.
class WideTableStep : public Step {
 public:
  Integers from, to;
  const Tensor* tables = nullptr;
  std::int64_t count = 0;
  operators::AlongAxis along{1, 1, 1};

  Status run(const RunContext& context) override;
};

/// FullyConnectedOp, of inputs and weights of up to 16 bits, sums in int64 where int32 is too narrow.
class WideLinearStep : public Step {
 public:
  Integers from, to;
  const LinearLayer* layer = nullptr;
  Place steps;  ///< of a row of the input, int32
  std::int64_t rows = 0;

  Status run(const RunContext& context) override;
};

/// MatMulOp.
class WideMatMulStep : public Step {
 public:
  struct Matrices {
    std::ptrdiff_t a, b;
  };
  Integers a, b, to;
  const MatMulOp* op = nullptr;
  Place a_steps, b_steps;  ///< of a row of a and of a matrix b, int32
  Place sums;              ///< of a row, int64
  std::vector<Matrices> matrices;
  std::int64_t m = 0, k = 0, n = 0;

  Status run(const RunContext& context) override;
};

/// SoftmaxOp without logarithm.
class WideSoftmaxStep : public Step {
 public:
  Integers from, to;
  const SoftmaxOp* op = nullptr;
  operators::AlongAxis along{1, 1, 1};

  Status run(const RunContext& context) override;
};

/// ArithmeticOp: each step on whole tensors of reals.
class WideArithmeticStep : public Step {
 public:
  struct Input {
    Integers from;
    Dequantization dequantization;
    operators::AlongAxis along{1, 1, 1};
    Place reals;
  };
  struct Stage {
    operators::RowKernel kernel;
    operators::BroadcastWalk walk;
    std::vector<std::size_t> operands;  ///< indices of `reals`
    std::size_t result = 0;
  };
  std::vector<Input> inputs;
  std::vector<Place> reals;
  std::vector<Stage> stages;
  Integers to;
  Quantization quantization;
  std::int64_t count = 0;
  std::vector<const std::byte*> memory;  ///< of a stage's operands

  Status run(const RunContext& context) override;
};

}  // namespace zeropoint::engine
