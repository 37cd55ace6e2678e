#include "engine/steps/mat_mul_step.h"

#include <algorithm>
#include <numeric>

namespace zeropoint::engine {
namespace {

std::int32_t* ints_at(const RunContext& context, Place place) {
  return reinterpret_cast<std::int32_t*>(context.at(place));
}

}  // namespace

void MatMulStep::pack(const RunContext& context, const std::uint8_t* matrix) const {
  kernels::pack_dot_operand(matrix, k, n, kernel->panel, kernel->unit,
                            reinterpret_cast<std::int8_t*>(context.at(packed)));
  std::int32_t* bias = ints_at(context, column_bias);
  std::fill_n(bias, n, 0);
  for (std::int64_t i = 0; i < k; ++i) {
    elementwise->accumulate(matrix + i * n, bias, n);
  }
  auto depth = static_cast<std::int32_t>(k);
  for (std::int64_t j = 0; j < n; ++j) {
    bias[j] = depth * a_zero_point * b_zero_point - a_zero_point * (bias[j] - 128 * depth);
  }
}

void MatMulStep::sum_rows(const RunContext& context, const std::uint8_t* matrix) const {
  std::int32_t* bias = ints_at(context, row_bias);
  for (std::int64_t i = 0; i < m; ++i) {
    bias[i] = -b_zero_point * std::accumulate(matrix + i * k, matrix + (i + 1) * k, std::int32_t{0});
  }
}

Status MatMulStep::run(const RunContext& context) {
  const std::ptrdiff_t segment = 0;
  kernels::Epilogue e = epilogue;
  e.bias = ints_at(context, column_bias);
  e.multipliers = multipliers.data();
  kernels::DotParams p;
  p.input_step = k;
  p.segments = &segment;
  p.segment_count = 1;
  p.segment_depth = (k + kernel->unit - 1) / kernel->unit * kernel->unit;
  p.weights = reinterpret_cast<const std::int8_t*>(context.at(packed));
  p.row_bias = b_zero_point == 0 ? nullptr : ints_at(context, row_bias);
  p.channels = n;
  p.positions = m;
  p.row_length = m;
  p.output_step = n;
  p.epilogue = &e;
  if (kernel->enter != nullptr) {
    kernel->enter(p);
  }
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    if (i == 0 || matrices[i].b != matrices[i - 1].b) {
      pack(context, context.bytes_at(b) + matrices[i].b);
    }
    p.input = context.bytes_at(a) + matrices[i].a;
    if (p.row_bias != nullptr) {
      sum_rows(context, p.input);
    }
    p.output = context.bytes_at(output) + static_cast<std::ptrdiff_t>(i) * m * n;
    kernel->run(p);
  }
  if (kernel->leave != nullptr) {
    kernel->leave();
  }
  return {};
}

}  // namespace zeropoint::engine
