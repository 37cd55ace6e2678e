#pragma once

#include <vector>

#include "engine/step.h"
#include "kernels/elementwise/elementwise.h"

namespace zeropoint::engine {

/// ArithmeticOp of additions, subtractions, products and quotients: reals of some elements at a time, then
/// the steps one by one on them. The result's rows take from each operand a row, or one element that stands
/// for all.
class ArithmeticStep : public Step {
 public:
  static constexpr std::int64_t kBlock = 1024;  ///< elements at a time

  struct Operand {
    bool is_constant = false;
    Place place;         ///< of bytes
    const float* reals;  ///< of a constant
    float scale = 1;
    std::int32_t zero_point = 0;
    bool is_one = false;                  ///< an element for all of a row
    std::vector<std::ptrdiff_t> offsets;  ///< of each row
  };
  struct Operation {
    kernels::Arithmetic op;
    std::int32_t a, b;  ///< operands, then results of earlier operations
  };

  std::vector<Operand> operands;
  std::vector<Operation> operations;
  std::int64_t rows = 0, count = 0;
  Place reals;  ///< kBlock floats for each operand and operation
  Place to;
  kernels::QuantizeParams quantization;
  const kernels::ElementwiseKernels* kernels = nullptr;

  Status run(const RunContext& context) override;

 private:
  void load(const RunContext& context, const Operand& operand, std::int64_t row, std::int64_t begin,
            std::int64_t size, float* out) const;
};

}  // namespace zeropoint::engine
