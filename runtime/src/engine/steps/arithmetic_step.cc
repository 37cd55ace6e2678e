#include "engine/steps/arithmetic_step.h"

#include <algorithm>

namespace zeropoint::engine {

void ArithmeticStep::load(const RunContext& context, const Operand& operand, std::int64_t row,
                          std::int64_t begin, std::int64_t size, float* out) const {
  std::ptrdiff_t at = operand.offsets[static_cast<std::size_t>(row)] + (operand.is_one ? 0 : begin);
  std::int64_t distinct = operand.is_one ? 1 : size;
  if (operand.is_constant) {
    std::copy_n(operand.reals + at, distinct, out);
  } else {
    kernels->dequantize(context.bytes_at(operand.place) + at, out, distinct, operand.scale,
                        operand.zero_point);
  }
  if (operand.is_one) {
    std::fill_n(out, size, out[0]);
  }
}

Status ArithmeticStep::run(const RunContext& context) {
  auto* blocks = reinterpret_cast<float*>(context.at(reals));
  auto block = [&](std::size_t i) { return blocks + static_cast<std::int64_t>(i) * kBlock; };
  std::uint8_t* out = context.bytes_at(to);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t begin = 0; begin < count; begin += kBlock) {
      std::int64_t size = std::min(kBlock, count - begin);
      for (std::size_t i = 0; i < operands.size(); ++i) {
        load(context, operands[i], row, begin, size, block(i));
      }
      std::size_t made = operands.size();
      for (const Operation& operation : operations) {
        kernels->combine(operation.op, block(static_cast<std::size_t>(operation.a)),
                         block(static_cast<std::size_t>(operation.b)), block(made), size);
        ++made;
      }
      kernels->quantize(block(made - 1), out + row * count + begin, size, quantization);
    }
  }
  return {};
}

}  // namespace zeropoint::engine
