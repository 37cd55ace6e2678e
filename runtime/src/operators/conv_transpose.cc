// ONNX ConvTranspose: y[n, m, i * stride - pad + k * dilation] += x[n, c, i] * w[c, m, k], in groups, from
// the bias on: the gradient of a convolution by its input.

#include <algorithm>

#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/window_taps.h"

namespace zeropoint::operators {
namespace {

template <typename T>
void convolve_transposed(const OperatorCall& call, const WindowGeometry& window, std::int64_t group,
                         Tensor& y) {
  const Tensor& x = call.input(0);
  const Tensor& w = call.input(1);
  std::int64_t in_plane = product(window.output);
  std::int64_t out_plane = product(window.input);
  std::int64_t taps = product(window.kernel);
  std::int64_t in_channels = x.dim(1) / group;
  std::int64_t out_channels = w.dim(1);
  const T* in = x.data<T>().data();
  const T* weights = w.data<T>().data();
  T* out = y.data<T>().data();
  // Where the input has no elements, the bias alone is left.
  if (x.size() == 0) {
    in_channels = 0;
  }
  for (std::int64_t n = 0; n < x.dim(0); ++n) {
    for (std::int64_t m = 0; m < out_channels * group; ++m) {
      T* plane = out + (n * out_channels * group + m) * out_plane;
      std::fill(plane, plane + out_plane,
                call.has(2) ? call.input(2).data<T>()[static_cast<std::size_t>(m)] : T{});
      std::int64_t first = m / out_channels * in_channels;
      for (std::int64_t c = first; c < first + in_channels; ++c) {
        const T* from = in + (n * x.dim(1) + c) * in_plane;
        const T* filter = weights + (c * out_channels + m % out_channels) * taps;
        Positions at(window.output);
        do {
          const T* weight = filter;
          Positions tap(window.kernel);
          do {
            std::int64_t offset = input_offset(window, *at, *tap);
            if (offset >= 0) {
              plane[offset] = static_cast<T>(plane[offset] + *from * *weight);
            }
            ++weight;
          } while (tap.next());
          ++from;
        } while (at.next());
      }
    }
  }
}

}  // namespace

Result<std::vector<Tensor>> conv_transpose(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  const Tensor& w = call.input(1);
  std::int64_t group = call.int_attribute("group");
  if (x.rank() < 3 || w.rank() != x.rank() || group < 1 || x.dim(1) % group != 0 || w.dim(0) != x.dim(1)) {
    return Status::invalid_argument("weights ", w.shape(), " in ", group, " group(s) do not fit input ",
                                    x.shape());
  }
  std::int64_t channels = 0;
  if (__builtin_mul_overflow(w.dim(1), group, &channels)) {
    return Status::resource_exhausted(group, " groups of ", w.dim(1), " channels are too many");
  }
  if (call.has(2) && call.input(2).shape() != Shape{channels}) {
    return Status::invalid_argument("bias ", call.input(2).shape(), " does not fit weights ", w.shape());
  }
  if (w.type() != x.type() || (call.has(2) && call.input(2).type() != x.type())) {
    return Status::invalid_argument("its inputs must be of one type");
  }
  ZP_ASSIGN_OR_RETURN(
      WindowGeometry window,
      transposed_window_geometry(call.attributes(), x.shape(), {w.shape().begin() + 2, w.shape().end()}));
  Shape shape{x.dim(0), channels};
  shape.insert(shape.end(), window.input.begin(), window.input.end());
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), std::move(shape)));
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    if (y.size() != 0) {
      convolve_transposed<decltype(element)>(call, window, group, y);
    }
    return one(std::move(y));
  });
}

}  // namespace zeropoint::operators
