#include "zeropoint/window.h"

#include <algorithm>

namespace zeropoint {
namespace {

/// Far beyond any real window, and keeps the sums and products below from overflowing.
constexpr std::int64_t kFar = std::int64_t{1} << 31;

/// The attribute, or `fallback` for each of `count` axes; checked to have `count` entries of at least
/// `least`.
Result<std::vector<std::int64_t>> axis_attribute(const Attributes& attributes, std::string_view name,
                                                 std::size_t count, std::int64_t fallback,
                                                 std::int64_t least) {
  std::vector<std::int64_t> values = ints_attribute(attributes, name);
  if (values.empty()) {
    return std::vector<std::int64_t>(count, fallback);
  }
  bool sound = values.size() == count &&
               std::ranges::all_of(values, [&](std::int64_t v) { return v >= least && v < kFar; });
  if (!sound) {
    return Status::invalid_argument("attribute ", name, " is ", values, "; ", count, " values of ", least,
                                    " or more are needed");
  }
  return values;
}

/// From the first to the last element under a window, both counted.
std::int64_t reach_of(const WindowGeometry& window, std::size_t axis) {
  return window.dilations[axis] * (window.kernel[axis] - 1) + 1;
}

/// ONNX auto_pad SAME_UPPER / SAME_LOWER: output = ceil(input / stride), the odd element at the end /
/// beginning.
void pad_same(WindowGeometry& window, std::size_t axis, bool upper) {
  std::int64_t stride = window.strides[axis];
  std::int64_t reach = reach_of(window, axis);
  std::int64_t out = (window.input[axis] + stride - 1) / stride;
  std::int64_t total = std::max<std::int64_t>(0, (out - 1) * stride + reach - window.input[axis]);
  window.pads_begin[axis] = upper ? total / 2 : total - total / 2;
  window.pads_end[axis] = total - window.pads_begin[axis];
}

/// Output extent of one axis whose input extent is known.
Result<std::int64_t> slide(const WindowGeometry& window, std::size_t i, bool ceil_mode) {
  std::int64_t padded = window.input[i] + window.pads_begin[i] + window.pads_end[i];
  std::int64_t reach = reach_of(window, i);
  if (padded < reach) {
    return Status::invalid_argument("the window reaches over ", reach, " elements but input ", window.input,
                                    " has ", padded, " with padding");
  }
  std::int64_t steps = padded - reach;
  std::int64_t out = (ceil_mode ? (steps + window.strides[i] - 1) : steps) / window.strides[i] + 1;
  // With ceil_mode the last window must still start inside the input or its beginning padding.
  bool starts_behind = (out - 1) * window.strides[i] >= window.input[i] + window.pads_begin[i];
  return ceil_mode && starts_behind ? out - 1 : out;
}

/// The attributes that all windows have, checked against the input and each other.
Result<WindowGeometry> declared_window(const Attributes& attributes, const Shape& input,
                                       std::vector<std::int64_t> kernel) {
  if (input.size() < 3) {
    return Status::invalid_argument("input ", input, " has no spatial axes; [N, C, ...] is needed");
  }
  WindowGeometry window;
  window.input.assign(input.begin() + 2, input.end());
  std::size_t axes = window.input.size();
  if (std::ranges::any_of(window.input, [](std::int64_t x) { return x >= kFar; })) {
    return Status::invalid_argument("input ", input, " has a spatial extent beyond 2^31");
  }
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> declared,
                      axis_attribute(attributes, "kernel_shape", axes, 0, 1));
  if (kernel.empty()) {
    kernel = declared;
  } else if (declared[0] != 0 && declared != kernel) {
    return Status::invalid_argument("kernel_shape is ", declared, " but the weights are ", kernel);
  }
  bool sound = std::ranges::all_of(kernel, [](std::int64_t k) { return k >= 1 && k < kFar; });
  if (kernel.size() != axes || !sound) {
    return Status::invalid_argument("kernel ", kernel, " does not fit input ", input);
  }
  window.kernel = std::move(kernel);
  ZP_ASSIGN_OR_RETURN(window.strides, axis_attribute(attributes, "strides", axes, 1, 1));
  ZP_ASSIGN_OR_RETURN(window.dilations, axis_attribute(attributes, "dilations", axes, 1, 1));
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> pads, axis_attribute(attributes, "pads", 2 * axes, 0, 0));
  window.pads_begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
  window.pads_end.assign(pads.begin() + static_cast<std::ptrdiff_t>(axes), pads.end());
  return window;
}

/// Attribute auto_pad, if it is one.
Result<std::string> auto_pad_of(Op op, const Attributes& attributes) {
  std::string auto_pad = string_attribute(op, attributes, "auto_pad");
  bool known = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER" || auto_pad == "VALID" ||
               auto_pad == "NOTSET" || auto_pad.empty();
  if (!known) {
    return Status::invalid_argument("attribute auto_pad is '", auto_pad,
                                    "'; NOTSET, SAME_UPPER, SAME_LOWER or VALID is needed");
  }
  return auto_pad;
}

bool is_pool(Op op) {
  return op == Op::kAveragePool || op == Op::kMaxPool || op == Op::kLpPool || op == Op::kQLinearAveragePool;
}

/// Whether the first or the last of `out` windows along an axis has no tap on the input.
bool lies_on_padding_alone(const WindowGeometry& window, std::size_t i, std::int64_t out) {
  std::int64_t last = (out - 1) * window.strides[i];
  return out > 0 && (window.input[i] == 0 || reach_of(window, i) <= window.pads_begin[i] ||
                     last >= window.pads_begin[i] + window.input[i]);
}

bool is_same(const std::string& auto_pad) { return auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER"; }

}  // namespace

Result<WindowGeometry> window_geometry(Op op, const Attributes& attributes, const Shape& input,
                                       std::vector<std::int64_t> kernel) {
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, declared_window(attributes, input, std::move(kernel)));
  ZP_ASSIGN_OR_RETURN(std::string auto_pad, auto_pad_of(op, attributes));
  bool ceil_mode = int_attribute(op, attributes, "ceil_mode") != 0;
  for (std::size_t i = 0; i < window.input.size(); ++i) {
    if (is_same(auto_pad) || auto_pad == "VALID") {
      window.pads_begin[i] = window.pads_end[i] = 0;
    }
    if (window.input[i] < 0) {
      window.output.push_back(-1);
      continue;
    }
    if (is_same(auto_pad)) {
      pad_same(window, i, auto_pad == "SAME_UPPER");
    }
    ZP_ASSIGN_OR_RETURN(std::int64_t out, slide(window, i, ceil_mode));
    if (is_pool(op) && lies_on_padding_alone(window, i, out)) {
      return Status::invalid_argument("pads ", window.pads_begin, " and ", window.pads_end,
                                      " leave windows that lie on padding alone");
    }
    window.output.push_back(out);
  }
  return window;
}

Result<WindowGeometry> transposed_window_geometry(const Attributes& attributes, const Shape& input,
                                                  std::vector<std::int64_t> kernel) {
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, declared_window(attributes, input, std::move(kernel)));
  ZP_ASSIGN_OR_RETURN(std::string auto_pad, auto_pad_of(Op::kConvTranspose, attributes));
  std::size_t axes = window.input.size();
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> added,
                      axis_attribute(attributes, "output_padding", axes, 0, 0));
  std::vector<std::int64_t> wanted = ints_attribute(attributes, "output_shape");
  if (wanted.size() > axes) {
    wanted.erase(wanted.begin(), wanted.end() - static_cast<std::ptrdiff_t>(axes));
  }
  if (!wanted.empty() && (wanted.size() != axes ||
                          std::ranges::any_of(wanted, [](std::int64_t w) { return w < 1 || w >= kFar; }))) {
    return Status::invalid_argument("attribute output_shape is ", wanted, "; ", axes,
                                    " values of 1 or more are needed");
  }
  window.output = std::move(window.input);
  window.input.clear();
  for (std::size_t i = 0; i < axes; ++i) {
    if (is_same(auto_pad) || auto_pad == "VALID") {
      window.pads_begin[i] = window.pads_end[i] = 0;
    }
    if (window.output[i] < 0) {
      window.input.push_back(wanted.empty() ? -1 : wanted[i]);
      continue;
    }
    std::int64_t reach = reach_of(window, i);
    std::int64_t full = window.strides[i] * (window.output[i] - 1) + added[i] + reach;
    if (!wanted.empty() || is_same(auto_pad)) {
      std::int64_t out = wanted.empty() ? window.output[i] * window.strides[i] : wanted[i];
      std::int64_t total = std::max<std::int64_t>(0, full - out);
      window.pads_begin[i] = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
      window.pads_end[i] = total - window.pads_begin[i];
      window.input.push_back(out);
    } else {
      window.input.push_back(full - window.pads_begin[i] - window.pads_end[i]);
    }
    if (window.output[i] > 0 && window.input[i] < 1) {
      return Status::invalid_argument("pads ", window.pads_begin, " and ", window.pads_end,
                                      " leave nothing of input ", input);
    }
  }
  return window;
}

Result<Shape> unpool_shape(const Attributes& attributes, const Shape& input) {
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, declared_window(attributes, input, {}));
  Shape shape{input[0], input[1]};
  for (std::size_t i = 0; i < window.input.size(); ++i) {
    std::int64_t extent = (window.input[i] - 1) * window.strides[i] + window.kernel[i] -
                          window.pads_begin[i] - window.pads_end[i];
    if (window.input[i] > 0 && extent < 1) {
      return Status::invalid_argument("pads ", window.pads_begin, " and ", window.pads_end,
                                      " leave nothing of input ", input);
    }
    shape.push_back(window.input[i] < 0 ? -1 : std::max<std::int64_t>(0, extent));
  }
  return shape;
}

}  // namespace zeropoint
