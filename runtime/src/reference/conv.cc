#include <cstddef>

#include "reference/finish_accumulator.h"
#include "reference/operations.h"

namespace zeropoint::reference {
namespace {

/// The accumulator of one output element: sum over channels and window, starting at the folded bias.
template <typename In>
class Accumulate {
 public:
  Accumulate(const ConvOp& op, const Tensor& input)
      : op_(op),
        x_(input.data<In>().data()),
        w_(op.layer.weights.data<std::int8_t>().data()),
        channels_(op.layer.weights.dim(1)),
        height_(input.dim(2)),
        width_(input.dim(3)) {}

  /// `sample`: index of the first input channel of the group, over all samples; `m`: output channel.
  std::int32_t operator()(std::int64_t first_channel, std::int64_t m, std::int64_t out_y,
                          std::int64_t out_x) const {
    const Window2d& win = op_.window;
    std::int32_t sum = op_.layer.folded_bias[static_cast<std::size_t>(m)];
    for (std::int64_t c = 0; c < channels_; ++c) {
      const In* plane = x_ + (first_channel + c) * height_ * width_;
      const std::int8_t* taps = w_ + (m * channels_ + c) * win.kernel[0] * win.kernel[1];
      for (std::int64_t ky = 0; ky < win.kernel[0]; ++ky) {
        std::int64_t y = out_y * win.strides[0] + ky * win.dilations[0] - win.pads_begin[0];
        for (std::int64_t kx = 0; kx < win.kernel[1]; ++kx) {
          std::int64_t x = out_x * win.strides[1] + kx * win.dilations[1] - win.pads_begin[1];
          bool inside = y >= 0 && y < height_ && x >= 0 && x < width_;
          auto q = static_cast<std::int32_t>(inside ? plane[y * width_ + x] : op_.input_zero_point);
          sum += q * taps[ky * win.kernel[1] + kx];
        }
      }
    }
    return sum;
  }

 private:
  const ConvOp& op_;
  const In* x_;
  const std::int8_t* w_;
  std::int64_t channels_;  // per group
  std::int64_t height_, width_;
};

template <typename In, typename Out>
void convolve(const ConvOp& op, const Tensor& input, Tensor& output) {
  Accumulate<In> accumulate(op, input);
  std::int64_t out_channels = output.dim(1);
  std::int64_t out_per_group = out_channels / op.group;
  std::int64_t in_per_group = input.dim(1) / op.group;
  Out* out = output.data<Out>().data();
  for (std::int64_t n = 0; n < output.dim(0); ++n) {
    for (std::int64_t m = 0; m < out_channels; ++m) {
      std::int64_t first_channel = n * input.dim(1) + (m / out_per_group) * in_per_group;
      for (std::int64_t y = 0; y < output.dim(2); ++y) {
        for (std::int64_t x = 0; x < output.dim(3); ++x) {
          std::int32_t sum = accumulate(first_channel, m, y, x);
          *out++ = static_cast<Out>(finish_accumulator(op.layer, sum, static_cast<std::size_t>(m)));
        }
      }
    }
  }
}

}  // namespace

void run(const ConvOp& op, const Tensor& input, Tensor& output) {
  visit_integer(input.type(), [&](auto in) {
    visit_integer(output.type(), [&](auto out) { convolve<decltype(in), decltype(out)>(op, input, output); });
  });
}

}  // namespace zeropoint::reference
