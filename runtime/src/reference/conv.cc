#include <algorithm>

#include "operators/window_taps.h"
#include "reference/elements.h"
#include "reference/linear_layer.h"
#include "reference/operations.h"

namespace zeropoint::reference {
namespace {

using operators::Positions;
using operators::product;

/// Where a window of the spatial extents `kernel` reads.
class Sight {
 public:
  Sight(const Window& window, Shape kernel, Shape input)
      : window_(window), kernel_(std::move(kernel)), input_(std::move(input)) {}

  /// For each tap of the window at `at`, the offset in the input's plane, or -1 where it sees the zero point.
  void offsets(const Shape& at, std::vector<std::int64_t>& result) const {
    result.clear();
    Positions tap(kernel_);
    do {
      result.push_back(offset(at, *tap));
    } while (tap.next());
  }

 private:
  [[nodiscard]] std::int64_t offset(const Shape& at, const Shape& tap) const {
    std::int64_t result = 0;
    for (std::size_t i = 0; i < at.size(); ++i) {
      std::int64_t filled =
          at[i] * window_.strides[i] + tap[i] * window_.dilations[i] - window_.pads_begin[i];
      if (filled < 0 || filled % window_.holes[i] != 0 || filled / window_.holes[i] >= input_[i]) {
        return -1;
      }
      result = result * input_[i] + filled / window_.holes[i];
    }
    return result;
  }

  const Window& window_;
  Shape kernel_;
  Shape input_;
};

/// The K inputs of one output position: channels [first, first + channels) of the planes at `x`.
void gather(const std::int32_t* x, std::int64_t channels, std::int64_t plane,
            const std::vector<std::int64_t>& offsets, std::int32_t outside,
            std::vector<std::int32_t>& patch) {
  patch.clear();
  for (std::int64_t c = 0; c < channels; ++c, x += plane) {
    for (std::int64_t offset : offsets) {
      patch.push_back(offset < 0 ? outside : x[offset]);
    }
  }
}

}  // namespace

Result<Shape> output_shape(const ConvOp& op, const Shape& input) {
  const Shape& w = op.layer.weights.shape();
  if (input.size() != w.size() || input[1] % op.group != 0 || input[1] / op.group != w[1]) {
    return Status::invalid_argument("weights ", w, " in ", op.group, " group(s) do not fit ", input);
  }
  Shape out{input[0], w[0]};
  for (std::size_t i = 0; i + 2 < input.size(); ++i) {
    // Strides, dilations, holes and pads are below 2^31, and so are the weights' extents; an input's can be
    // anything beside one of 0.
    std::int64_t filled = 0;
    if (__builtin_mul_overflow(std::max<std::int64_t>(input[i + 2] - 1, 0), op.window.holes[i], &filled) ||
        filled > std::int64_t{1} << 62) {
      return Status::resource_exhausted("an input of ", input, " is too large");
    }
    filled += input[i + 2] == 0 ? 0 : 1;
    std::int64_t room = filled + op.window.pads_begin[i] + op.window.pads_end[i];
    std::int64_t reach = (w[i + 2] - 1) * op.window.dilations[i] + 1;
    // 0 positions where the window is larger than the padded input.
    out.push_back(room < reach ? 0 : (room - reach) / op.window.strides[i] + 1);
  }
  return out;
}

Result<Tensor> run(const ConvOp& op, const Tensor& input, ElementType type) {
  const Shape& w = op.layer.weights.shape();
  ZP_ASSIGN_OR_RETURN(Shape shape, output_shape(op, input.shape()));
  ZP_ASSIGN_OR_RETURN(Tensor output, make_tensor(type, shape));
  if (output.size() == 0) {
    return output;  // the other extents can be anything
  }
  Sight sight(op.window, {w.begin() + 2, w.end()}, {input.shape().begin() + 2, input.shape().end()});
  Shape spatial(shape.begin() + 2, shape.end());
  ZP_RETURN_IF_ERROR(make_tensor(ElementType::kInt64, shape).status());
  std::vector<std::int64_t> sums(static_cast<std::size_t>(product(shape)));
  std::vector<std::int32_t> x = steps_of(input, 0);
  std::int64_t in_plane = product({input.shape().begin() + 2, input.shape().end()});
  std::int64_t out_plane = product(spatial);
  std::int64_t out_per_group = w[0] / op.group;
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> patch;
  Positions at(spatial);
  for (std::int64_t position = 0; position < out_plane; ++position, at.next()) {
    sight.offsets(*at, offsets);
    for (std::int64_t i = 0; i < input.dim(0) * op.group; ++i) {  // image and group
      gather(x.data() + i * w[1] * in_plane, w[1], in_plane, offsets,
             static_cast<std::int32_t>(op.input_zero_point), patch);
      accumulate(op.layer, patch.data(), i % op.group * out_per_group, out_per_group,
                 sums.data() + i * out_per_group * out_plane + position, out_plane);
    }
  }
  return finished(op.layer.requantization, sums, std::move(shape), out_plane, type);
}

}  // namespace zeropoint::reference
