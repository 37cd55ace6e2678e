#include "quantize/improve/layer_rows.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace zeropoint::toolchain {
namespace {

std::int64_t product(const std::vector<std::int64_t>& extents) {
  return std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>());
}

/// Row-major coordinates of `position` in `extents`.
void coordinates(std::int64_t position, const std::vector<std::int64_t>& extents,
                 std::vector<std::int64_t>& out) {
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    out[axis] = position % extents[axis];
    position /= extents[axis];
  }
}

}  // namespace

Result<LayerRows> LayerRows::of(const Graph& graph, const Node& layer) {
  const Tensor& weights = *graph.constant(layer, 1);
  if (layer.op == Op::kMatMul && weights.rank() != 2) {
    return Status::unsupported("its weights are no matrix");
  }
  LayerRows rows(layer, WeightRows::of(graph, layer));
  if (layer.op == Op::kConv || layer.op == Op::kConvTranspose) {
    rows.kernel_.assign(weights.shape().begin() + 2, weights.shape().end());
  }
  return rows;
}

Result<WindowGeometry> LayerRows::window_over(const Shape& input) const {
  return is_transposed_ ? transposed_window_geometry(layer_.attributes, input, kernel_)
                        : window_geometry(layer_.op, layer_.attributes, input, kernel_);
}

Result<std::int64_t> LayerRows::rows(const Shape& input) const {
  if (kernel_.empty()) {
    return product(input) / input.back();
  }
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_over(input));
  return input[0] * product(is_transposed_ ? window.input : window.output);
}

Result<MatrixF> LayerRows::gather(const Tensor& input, std::span<const std::int64_t> selected,
                                  std::int64_t group) const {
  if (!kernel_.empty()) {
    ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_over(input.shape()));
    return gather_windows(input, selected, group, window);
  }
  MatrixF rows(static_cast<Eigen::Index>(selected.size()), weights_.columns());
  for (std::size_t r = 0; r < selected.size(); ++r) {
    const float* from = input.data<float>().data() + selected[r] * weights_.columns();
    std::copy_n(from, weights_.columns(), rows.row(static_cast<Eigen::Index>(r)).data());
  }
  return rows;
}

MatrixF LayerRows::gather_windows(const Tensor& input, std::span<const std::int64_t> selected,
                                  std::int64_t group, const WindowGeometry& window) const {
  std::size_t axes = kernel_.size();
  // A ConvTranspose is its window's convolution backwards: where that writes, it reads.
  const std::vector<std::int64_t>& results = is_transposed_ ? window.input : window.output;
  const std::vector<std::int64_t>& inputs = is_transposed_ ? window.output : window.input;
  std::int64_t positions = product(results);
  std::int64_t plane = product(inputs);
  std::int64_t taps = product(kernel_);
  std::int64_t channels = weights_.columns() / taps;
  MatrixF rows = MatrixF::Zero(static_cast<Eigen::Index>(selected.size()), weights_.columns());
  std::vector<std::int64_t> at(axes);
  std::vector<std::int64_t> tap(axes);
  for (std::size_t r = 0; r < selected.size(); ++r) {
    coordinates(selected[r] % positions, results, at);
    std::int64_t sample = selected[r] / positions;
    const float* from = input.data<float>().data() + (sample * input.dim(1) + group * channels) * plane;
    float* row = rows.row(static_cast<Eigen::Index>(r)).data();
    for (std::int64_t t = 0; t < taps; ++t) {
      coordinates(t, kernel_, tap);
      std::int64_t offset = 0;
      bool inside = true;
      for (std::size_t axis = 0; axis < axes; ++axis) {
        std::int64_t reach = tap[axis] * window.dilations[axis] - window.pads_begin[axis];
        std::int64_t x = is_transposed_ ? at[axis] - reach : at[axis] * window.strides[axis] + reach;
        if (is_transposed_) {
          inside = inside && x % window.strides[axis] == 0;
          x /= window.strides[axis];
        }
        inside = inside && x >= 0 && x < inputs[axis];
        offset = offset * inputs[axis] + x;
      }
      for (std::int64_t c = 0; inside && c < channels; ++c) {
        row[c * taps + t] = from[c * plane + offset];
      }
    }
  }
  return rows;
}

}  // namespace zeropoint::toolchain
