#include "engine/steps/dynamic_steps.h"

#include <algorithm>
#include <cmath>

#include "zeropoint/affine.h"

namespace zeropoint::engine {

Status DynamicQuantizeStep::run(const RunContext& context) {
  const auto* in = reinterpret_cast<const float*>(context.at(from));
  float lowest = 0;
  float highest = 0;
  bool finite = true;
  for (std::int64_t i = 0; i < count; ++i) {
    lowest = in[i] < lowest ? in[i] : lowest;
    highest = in[i] > highest ? in[i] : highest;
    finite = finite && std::isfinite(in[i]);
  }
  if (!finite || !std::isfinite(highest - lowest)) {
    return Status::invalid_argument("'", profile.name, "': its input is not finite, or ranges over more ",
                                    "than float32 holds");
  }
  float step = (highest - lowest) / 255.0F;
  step = step == 0 ? 1.0F : step;
  QuantizedRange range = storage_range(ElementType::kUint8);
  auto zero = static_cast<std::uint8_t>(quantize_steps((0.0F - lowest) / step, 0, range));
  *reinterpret_cast<float*>(context.at(scale)) = step;
  *context.bytes_at(zero_point) = zero;
  kernels->quantize(in, context.bytes_at(to), count, {step, zero, 0, 255});
  return {};
}

Status MatMulIntegerStep::run(const RunContext& context) {
  // The zero point is taken from bytes as they are kept: both are shifted.
  std::int32_t zero = shift;
  if (has_zero_point) {
    std::uint8_t given = *context.bytes_at(zero_point);
    zero += shift == 0 ? std::int32_t{given} : std::int32_t{static_cast<std::int8_t>(given)};
  }
  auto* column_bias = reinterpret_cast<std::int32_t*>(context.at(bias));
  for (std::size_t c = 0; c < weights->sums.size(); ++c) {
    column_bias[c] = -zero * weights->sums[c];
  }
  const std::ptrdiff_t segment = 0;
  kernels::Epilogue epilogue;
  epilogue.bias = column_bias;
  constexpr std::int64_t kBlock = 32;  // rows of the largest tile
  context.in_parts((rows + kBlock - 1) / kBlock, profile.multiply_adds / 250,
                   [&](std::int64_t begin, std::int64_t end) {
                     kernels::DotParams p;
                     p.input = context.bytes_at(input);
                     p.input_step = depth;
                     p.segments = &segment;
                     p.segment_count = 1;
                     p.segment_depth = (depth + kernel->unit - 1) / kernel->unit * kernel->unit;
                     p.weights = weights->packed.data();
                     p.channels = columns;
                     p.first_position = begin * kBlock;
                     p.positions = std::min(rows, end * kBlock);
                     p.row_length = rows;
                     p.output = context.at(output);
                     p.output_step = columns;
                     p.epilogue = &epilogue;
                     if (kernel->enter != nullptr) {
                       kernel->enter(p);
                     }
                     kernel->run(p);
                     if (kernel->leave != nullptr) {
                       kernel->leave();
                     }
                   });
  return {};
}

}  // namespace zeropoint::engine
