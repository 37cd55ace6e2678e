// Operators that slide a window over spatial axes.

#include <fmt/format.h>

#include <algorithm>

#include "graph/geometry.h"
#include "graph/shapes/shape_rules.h"

namespace zeropoint::toolchain {
namespace {

bool all_known(const Dims& dims) {
  return std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.known(); });
}

/// The batch, `channels`, and what the window leaves of the spatial axes.
Dims windowed(const Dim& batch, const Dim& channels, const WindowGeometry& window) {
  Dims dims{batch, channels};
  for (std::int64_t extent : window.output) {
    dims.push_back(extent < 0 ? Dim(std::string()) : Dim(extent));
  }
  return dims;
}

}  // namespace

// y[N, M, spatial...] from x[N, C, spatial...] and w[M, C / group, kernel...].
Status conv_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  for (std::size_t i = 1; i < context.input_count(); ++i) {
    if (context.has(i)) {
      ZP_RETURN_IF_ERROR(wants(context, i, context.type(0)));
    }
  }
  if (!context.dims(0) || !context.dims(1) || !all_known(*context.dims(1))) {
    return {};
  }
  const Dims& x = *context.dims(0);
  const Dims& w = *context.dims(1);
  std::int64_t group = int_attribute(context.node(), "group");
  bool fits = w.size() == x.size() && w.size() >= 3 && group >= 1 && w[0].extent % group == 0;
  if (fits && x[1].known()) {
    fits = x[1].extent % group == 0 && x[1].extent / group == w[1].extent;
  }
  if (!fits) {
    return Status::invalid_argument(
        fmt::format("weights {} in {} group(s) do not fit input {}", to_string(w), group, to_string(x)));
  }
  if (context.has(2) && context.dims(2) && *context.dims(2) != Dims{w[0]}) {
    return Status::invalid_argument(
        fmt::format("bias {} does not fit weights {}", to_string(*context.dims(2)), to_string(w)));
  }
  std::vector<std::int64_t> kernel;
  std::transform(w.begin() + 2, w.end(), std::back_inserter(kernel),
                 [](const Dim& dim) { return dim.extent; });
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(context.node(), x, std::move(kernel)));
  context.set_dims(0, windowed(x[0], w[0], window));
  return {};
}

Status max_pool_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  context.set_type(1, ElementType::kInt64);
  if (!context.dims(0)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(context.node(), x, {}));
  Dims dims = windowed(x[0], x[1], window);
  context.set_dims(0, dims);
  context.set_dims(1, std::move(dims));
  return {};
}

}  // namespace zeropoint::toolchain
