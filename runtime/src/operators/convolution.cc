#include "operators/convolution.h"

namespace zeropoint::operators {

Result<Convolution> Convolution::of(const OperatorCall& call, const Shape& x, const Shape& w) {
  std::int64_t group = call.int_attribute("group");
  if (x.size() < 3 || w.size() != x.size() || group < 1 || w[0] % group != 0 || x[1] % group != 0 ||
      x[1] / group != w[1]) {
    return Status::invalid_argument("weights ", w, " in ", group, " group(s) do not fit input ", x);
  }
  ZP_ASSIGN_OR_RETURN(WindowGeometry window,
                      window_geometry(call.op(), call.attributes(), x, {w.begin() + 2, w.end()}));
  Shape shape{x[0], w[0]};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  return Convolution{std::move(window), x, w, group, std::move(shape)};
}

}  // namespace zeropoint::operators
