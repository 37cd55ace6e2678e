// Operators that slide a window over spatial axes.

#include <fmt/format.h>

#include <algorithm>

#include "graph/geometry.h"
#include "graph/shapes/shape_rules.h"

namespace zeropoint::toolchain {
namespace {

std::vector<std::int64_t> kernel_of(const Dims& weights) {
  std::vector<std::int64_t> kernel;
  std::transform(weights.begin() + 2, weights.end(), std::back_inserter(kernel),
                 [](const Dim& dim) { return dim.extent; });
  return kernel;
}

/// The batch, `channels`, and what the window leaves of the spatial axes.
Dims windowed(const Dim& batch, const Dim& channels, const WindowGeometry& window) {
  Dims dims{batch, channels};
  for (std::int64_t extent : window.output) {
    dims.push_back(extent < 0 ? unknown_extent() : Dim(extent));
  }
  return dims;
}

/// The dims of input `i`; where nothing is known of them it has the rank of its weights, which so are checked
/// all the same.
Dims convolved_input(const InferenceContext& context, std::size_t i, const Dims& weights) {
  return context.dims(i) ? *context.dims(i) : Dims(weights.size(), unknown_extent());
}

/// The dims of the convolution of input `xi` with weights `wi`; none where they cannot be told.
Result<std::optional<Dims>> convolved(const InferenceContext& context, std::size_t xi, std::size_t wi) {
  if (!context.dims(wi) || !has_known_extents(*context.dims(wi))) {
    return std::optional<Dims>();
  }
  const Dims& w = *context.dims(wi);
  Dims x = convolved_input(context, xi, w);
  std::int64_t group = int_attribute(context.node(), "group");
  bool fits = w.size() == x.size() && w.size() >= 3 && group >= 1 && w[0].extent % group == 0;
  if (fits && x[1].known()) {
    fits = x[1].extent % group == 0 && x[1].extent / group == w[1].extent;
  }
  if (!fits) {
    return Status::invalid_argument(
        fmt::format("weights {} in {} group(s) do not fit input {}", to_string(w), group, to_string(x)));
  }
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(context.node(), x, kernel_of(w)));
  return std::optional<Dims>(windowed(x[0], w[0], window));
}

/// The bias, where there is one, has an element per channel of dims.
Status check_bias(const InferenceContext& context, std::size_t i, const std::optional<Dims>& dims) {
  if (dims && context.has(i) && context.dims(i) && *context.dims(i) != Dims{(*dims)[1]}) {
    return Status::invalid_argument(fmt::format("bias {} does not fit {} channels",
                                                to_string(*context.dims(i)), to_string({(*dims)[1]})));
  }
  return {};
}

}  // namespace

// y[N, M, spatial...] from x[N, C, spatial...] and w[M, C / group, kernel...].
Status conv_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  ZP_RETURN_IF_ERROR(want_one_type(context));
  ZP_ASSIGN_OR_RETURN(std::optional<Dims> dims, convolved(context, 0, 1));
  ZP_RETURN_IF_ERROR(check_bias(context, 2, dims));
  if (dims) {
    context.set_dims(0, std::move(*dims));
  }
  return {};
}

Status conv_integer_shape(InferenceContext& context) {
  context.set_type(0, ElementType::kInt32);
  ZP_ASSIGN_OR_RETURN(std::optional<Dims> dims, convolved(context, 0, 1));
  if (dims) {
    context.set_dims(0, std::move(*dims));
  }
  return {};
}

// Inputs: x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, bias.
Status qlinear_conv_shape(InferenceContext& context) {
  context.set_type(0, context.type(context.has(7) ? 7 : 0));
  ZP_ASSIGN_OR_RETURN(std::optional<Dims> dims, convolved(context, 0, 3));
  if (context.has(8)) {
    ZP_RETURN_IF_ERROR(wants(context, 8, ElementType::kInt32));
  }
  ZP_RETURN_IF_ERROR(check_bias(context, 8, dims));
  if (dims) {
    context.set_dims(0, std::move(*dims));
  }
  return {};
}

// y[N, M, spatial...] from x[N, C, spatial...] and w[C, M / group, kernel...].
Status conv_transpose_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  ZP_RETURN_IF_ERROR(want_one_type(context));
  if (!context.dims(1) || !has_known_extents(*context.dims(1))) {
    return {};
  }
  const Dims& w = *context.dims(1);
  Dims x = convolved_input(context, 0, w);
  std::int64_t group = int_attribute(context.node(), "group");
  std::int64_t channels = 0;
  bool fits = w.size() == x.size() && w.size() >= 3 && group >= 1 && w[0].extent % group == 0 &&
              may_equal(x[1], w[0]) && !__builtin_mul_overflow(w[1].extent, group, &channels);
  if (!fits) {
    return Status::invalid_argument(
        fmt::format("weights {} in {} group(s) do not fit input {}", to_string(w), group, to_string(x)));
  }
  ZP_ASSIGN_OR_RETURN(WindowGeometry window,
                      transposed_window_geometry(context.node().attributes, shape_of(x, -1), kernel_of(w)));
  window.output = window.input;
  std::optional<Dims> dims = windowed(x[0], Dim(channels), window);
  ZP_RETURN_IF_ERROR(check_bias(context, 2, dims));
  context.set_dims(0, std::move(*dims));
  return {};
}

Status window_pool_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (context.dims(0)) {
    const Dims& x = *context.dims(0);
    ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(context.node(), x, {}));
    context.set_dims(0, windowed(x[0], x[1], window));
  }
  return {};
}

Status global_pool_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (context.dims(0)) {
    Dims dims = *context.dims(0);
    if (dims.size() < 2) {
      return Status::invalid_argument(fmt::format("input {} has no channels", to_string(dims)));
    }
    std::fill(dims.begin() + 2, dims.end(), Dim(1));
    context.set_dims(0, std::move(dims));
  }
  return {};
}

Status max_unpool_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  ZP_RETURN_IF_ERROR(wants(context, 1, ElementType::kInt64));
  if (context.has(2)) {
    if (std::optional<std::vector<std::int64_t>> shape = context.ints(2); shape) {
      context.set_dims(0, dims_of(*shape));
    }
  } else if (context.dims(0)) {
    const Dims& x = *context.dims(0);
    ZP_ASSIGN_OR_RETURN(Shape shape, unpool_shape(context.node().attributes, shape_of(x, -1)));
    Dims dims = x;
    for (std::size_t i = 2; i < shape.size(); ++i) {
      dims[i] = shape[i] < 0 ? unknown_extent() : Dim(shape[i]);
    }
    context.set_dims(0, std::move(dims));
  }
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
