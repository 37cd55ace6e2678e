#include "engine/steps/mat_mul_step.h"

#include <algorithm>
#include <numeric>

namespace zeropoint::engine {
namespace {

std::int32_t* ints_at(const RunContext& context, Place place) {
  return reinterpret_cast<std::int32_t*>(context.at(place));
}

}  // namespace

void MatMulStep::pack(const RunContext& context, std::int64_t i) const {
  const std::uint8_t* matrix = context.bytes_at(b) + matrices[static_cast<std::size_t>(i)].b;
  kernels::pack_dot_operand(matrix, k, n, kernel->panel, kernel->unit,
                            reinterpret_cast<std::int8_t*>(context.at(packed)) + i * packed_bytes);
  std::int32_t* bias = ints_at(context, column_bias) + i * std::ssize(multipliers);
  std::fill_n(bias, n, 0);
  elementwise->accumulate(matrix, n, k, bias, n);
  auto depth = static_cast<std::int32_t>(k);
  for (std::int64_t j = 0; j < n; ++j) {
    bias[j] = depth * a_zero_point * b_zero_point - a_zero_point * (bias[j] - 128 * depth);
  }
}

/// Rows [first, end) of the product of matrix i, which is packed.
void MatMulStep::multiply(const RunContext& context, std::int64_t i, std::int64_t first,
                          std::int64_t end) const {
  const std::ptrdiff_t segment = 0;
  kernels::Epilogue e = epilogue;
  e.bias = ints_at(context, column_bias) + i * std::ssize(multipliers);
  e.multipliers = multipliers.data();
  kernels::DotParams p;
  p.input = context.bytes_at(a) + matrices[static_cast<std::size_t>(i)].a;
  p.input_step = k;
  p.segments = &segment;
  p.segment_count = 1;
  p.segment_depth = (k + kernel->unit - 1) / kernel->unit * kernel->unit;
  p.weights = reinterpret_cast<const std::int8_t*>(context.at(packed)) + i * packed_bytes;
  p.channels = n;
  p.first_position = first;
  p.positions = end;
  p.row_length = m;
  p.output = context.at(output) + i * m * n;
  p.output_step = n;
  p.epilogue = &e;
  if (b_zero_point != 0) {
    std::int32_t* bias = ints_at(context, row_bias) + i * m;
    for (std::int64_t row = first; row < end; ++row) {
      bias[row] =
          -b_zero_point * std::accumulate(p.input + row * k, p.input + (row + 1) * k, std::int32_t{0});
    }
    p.row_bias = bias;
  }
  if (kernel->enter != nullptr) {
    kernel->enter(p);
  }
  kernel->run(p);
  if (kernel->leave != nullptr) {
    kernel->leave();
  }
}

Status MatMulStep::run(const RunContext& context) {
  auto all = std::ssize(matrices);
  constexpr std::int64_t kMultiplyAdds = 250;  // in a nanosecond
  std::int64_t work = profile.multiply_adds / kMultiplyAdds;
  if (all > 1) {
    context.in_parts(all, work, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        pack(context, i);
        multiply(context, i, 0, m);
      }
    });
    return {};
  }
  pack(context, 0);
  constexpr std::int64_t kBlock = 32;  // rows of the largest tile
  context.in_parts((m + kBlock - 1) / kBlock, work, [&](std::int64_t begin, std::int64_t end) {
    multiply(context, 0, begin * kBlock, std::min(m, end * kBlock));
  });
  return {};
}

}  // namespace zeropoint::engine
