// ONNX Conv: y[n, m, o] = b[m] + sum over c, k of x[n, c, o * stride - pad + k * dilation] * w[m, c, k], in
// groups, over any number of spatial axes. The terms of a sum come in the order of the weights, those of the
// padding too: products with 0. The bias is added at the end.

#include "operators/convolution.h"
#include "operators/fused_sum.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// The inputs under the window at `at` in the order of a channel's weights: [channels, kernel...].
template <typename T>
void gather(const WindowGeometry& window, const Shape& at, const T* plane, std::int64_t channels,
            std::vector<T>& patch) {
  std::int64_t in_plane = product(window.input);
  std::int64_t taps = product(window.kernel);
  Positions tap(window.kernel);
  std::int64_t k = 0;
  do {
    std::int64_t offset = input_offset(window, at, *tap);
    for (std::int64_t c = 0; c < channels; ++c) {
      patch[static_cast<std::size_t>(c * taps + k)] = offset < 0 ? T{} : plane[c * in_plane + offset];
    }
    ++k;
  } while (tap.next());
}

template <typename T>
void convolve(const Convolution& convolution, const T* inputs, const T* weights, const T* bias, T* out) {
  const WindowGeometry& window = convolution.window;
  std::int64_t in_plane = product(window.input);
  std::int64_t out_plane = product(window.output);
  std::int64_t group_channels = convolution.w[0] / convolution.group;
  std::int64_t depth = convolution.w[1] * product(window.kernel);
  std::vector<T> patch(static_cast<std::size_t>(depth));
  for (std::int64_t i = 0; i < convolution.x[0] * convolution.group; ++i) {  // image and group
    std::int64_t first = i % convolution.group * group_channels;
    Positions at(window.output);
    for (std::int64_t position = 0; position < out_plane; ++position, at.next()) {
      gather(window, *at, inputs + i * convolution.w[1] * in_plane, convolution.w[1], patch);
      for (std::int64_t m = 0; m < group_channels; ++m) {
        const T* w = weights + (first + m) * depth;
        T sum{};
        for (std::int64_t k = 0; k < depth; ++k) {
          sum = add_product(sum, patch[static_cast<std::size_t>(k)], w[k]);
        }
        out[(i * group_channels + m) * out_plane + position] = bias == nullptr ? sum : sum + bias[first + m];
      }
    }
  }
}

}  // namespace

Result<std::vector<Tensor>> conv(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  const Tensor& w = call.input(1);
  ZP_ASSIGN_OR_RETURN(Convolution convolution, Convolution::of(call, x.shape(), w.shape()));
  if (call.has(2) && call.input(2).shape() != Shape{w.dim(0)}) {
    return Status::invalid_argument("bias ", call.input(2).shape(), " does not fit weights ", w.shape());
  }
  if (w.type() != x.type() || (call.has(2) && call.input(2).type() != x.type())) {
    return Status::invalid_argument("its inputs must be of one type");
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), convolution.shape));
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    const T* bias = call.has(2) ? call.input(2).data<T>().data() : nullptr;
    T* out = y.data<T>().data();
    if (y.size() != 0) {
      convolve(convolution, x.data<T>().data(), w.data<T>().data(), bias, out);
    }
    return one(std::move(y));
  });
}

}  // namespace zeropoint::operators
