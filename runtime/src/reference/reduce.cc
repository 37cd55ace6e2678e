// Sums and means: over axes, and under a window.

#include <algorithm>
#include <numeric>

#include "operators/axes.h"
#include "operators/window_taps.h"
#include "reference/elements.h"
#include "reference/operations.h"

namespace zeropoint::reference {
namespace {

using operators::Positions;

/// clamp(round(sum * (s_in / (s_out * n))) + Z_out)
std::int64_t mean_of(std::int64_t sum, std::int64_t n, QuantParams from, const Quantization& to) {
  float factor = from.scale / (to.params.scale * static_cast<float>(n));
  return quantize_steps(static_cast<float>(sum) * factor, to.params.zero_point, to.range);
}

}  // namespace

Result<Tensor> run(const ReduceOp& op, const Tensor& input, ElementType type) {
  Shape kept = input.shape();
  for (std::int64_t axis : op.axes) {
    ZP_ASSIGN_OR_RETURN(std::size_t at, operators::axis_in(axis, input.shape()));
    kept[at] = 1;
  }
  // An element goes to the sum at its position, the reduced axes left out.
  Shape strides(kept.size(), 0);
  std::int64_t sum_count = 1;
  for (std::size_t i = kept.size(); i-- > 0;) {
    strides[i] = kept[i] == input.shape()[i] ? sum_count : 0;
    sum_count *= kept[i];
  }
  std::vector<std::int64_t> sums(static_cast<std::size_t>(sum_count));
  std::vector<std::int32_t> x = steps_of(input, op.from.zero_point);
  Positions at(input.shape());
  for (std::int32_t step : x) {
    std::int64_t index = std::inner_product(strides.begin(), strides.end(), (*at).begin(), std::int64_t{0});
    sums[static_cast<std::size_t>(index)] += step;
    at.next();
  }
  Shape shape;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    auto is_this = [&](std::int64_t axis) {
      return axis == static_cast<std::int64_t>(i) || axis + input.rank() == static_cast<std::int64_t>(i);
    };
    if (op.keep_axes || std::ranges::none_of(op.axes, is_this)) {
      shape.push_back(kept[i]);
    }
  }
  std::int64_t n = op.mean && sum_count != 0 ? input.size() / sum_count : 1;
  if (n == 0) {
    return Status::invalid_argument("there is no mean over no elements of ", input.shape());
  }
  Tensor output(type, std::move(shape));
  fill(output, [&](std::int64_t i) { return mean_of(sums[static_cast<std::size_t>(i)], n, op.from, op.to); });
  return output;
}

Result<Tensor> run(const AveragePoolOp& op, const Tensor& input, ElementType type) {
  ZP_ASSIGN_OR_RETURN(WindowGeometry window,
                      window_geometry(Op::kAveragePool, op.attributes, input.shape(), {}));
  bool counts_padding = int_attribute(Op::kAveragePool, op.attributes, "count_include_pad") != 0;
  Shape shape{input.dim(0), input.dim(1)};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  ZP_ASSIGN_OR_RETURN(Tensor output, make_tensor(type, std::move(shape)));
  std::vector<std::int32_t> x = steps_of(input, op.from.zero_point);
  std::int64_t in_plane = operators::product(window.input);
  std::int64_t out_plane = operators::product(window.output);
  Positions at(window.output);
  fill(output, [&](std::int64_t i) {
    const std::int32_t* plane = x.data() + i / out_plane * in_plane;
    std::int64_t sum = 0;
    std::int64_t n = 0;
    Positions tap(window.kernel);
    do {
      std::int64_t offset = operators::input_offset(window, *at, *tap);
      sum += offset < 0 ? 0 : plane[offset];
      n += offset >= 0 || (counts_padding && operators::is_padded(window, *at, *tap)) ? 1 : 0;
    } while (tap.next());
    at.next();
    return mean_of(sum, std::max<std::int64_t>(n, 1), op.from, op.to);
  });
  return output;
}

}  // namespace zeropoint::reference
