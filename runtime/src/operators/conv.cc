// ONNX Conv: y[n, m, o] = b[m] + sum over c, k of x[n, c, o * stride - pad + k * dilation] * w[m, c, k], in
// groups, over any number of spatial axes.

#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/window_taps.h"

namespace zeropoint::operators {
namespace {

template <typename T>
void convolve(const OperatorCall& call, const WindowGeometry& window, std::int64_t group, Tensor& y) {
  const Tensor& x = call.input(0);
  const Shape& w = call.input(1).shape();
  const T* weights = call.input(1).data<T>().data();
  std::int64_t in_plane = product(window.input);
  std::int64_t taps = product(window.kernel);
  std::int64_t channels = w[1];
  T* out = y.data<T>().data();
  for (std::int64_t n = 0; n < x.dim(0); ++n) {
    for (std::int64_t m = 0; m < w[0]; ++m) {
      const T* plane = x.data<T>().data() + (n * x.dim(1) + m / (w[0] / group) * channels) * in_plane;
      T bias = call.has(2) ? call.input(2).data<T>()[static_cast<std::size_t>(m)] : T{};
      Positions at(window.output);
      do {
        T sum = bias;
        Positions tap(window.kernel);
        const T* filter = weights + m * channels * taps;
        do {
          std::int64_t offset = input_offset(window, *at, *tap);
          for (std::int64_t c = 0; offset >= 0 && c < channels; ++c) {
            sum = static_cast<T>(sum + plane[c * in_plane + offset] * filter[c * taps]);
          }
          ++filter;
        } while (tap.next());
        *out++ = sum;
      } while (at.next());
    }
  }
}

}  // namespace

Result<std::vector<Tensor>> conv(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  const Shape& w = call.input(1).shape();
  std::int64_t group = call.int_attribute("group");
  if (x.rank() < 3 || call.input(1).rank() != x.rank() || group < 1 || w[0] % group != 0 ||
      x.dim(1) % group != 0 || x.dim(1) / group != w[1]) {
    return Status::invalid_argument("weights " + to_string(w) + " in " + std::to_string(group) +
                                    " group(s) do not fit input " + to_string(x.shape()));
  }
  if (call.has(2) && call.input(2).shape() != Shape{w[0]}) {
    return Status::invalid_argument("bias " + to_string(call.input(2).shape()) + " does not fit weights " +
                                    to_string(w));
  }
  if (call.input(1).type() != x.type() || (call.has(2) && call.input(2).type() != x.type())) {
    return Status::invalid_argument("its inputs must be of one type");
  }
  ZP_ASSIGN_OR_RETURN(WindowGeometry window,
                      window_geometry(call.op(), call.attributes(), x.shape(), {w.begin() + 2, w.end()}));
  Shape shape{x.dim(0), w[0]};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), std::move(shape)));
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    if (y.size() != 0) {
      convolve<decltype(element)>(call, window, group, y);
    }
    return one(std::move(y));
  });
}

}  // namespace zeropoint::operators
