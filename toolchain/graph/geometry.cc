#include "graph/geometry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace zeropoint::toolchain {
namespace {

/// Far beyond any real window, and keeps the sums and products below from overflowing.
constexpr std::int64_t kFar = std::int64_t{1} << 31;

/// ints_attribute with a fallback, checked to have `count` entries of at least `least`.
Result<std::vector<std::int64_t>> axis_attribute(const Node& node, std::string_view name, std::size_t count,
                                                 std::int64_t fallback, std::int64_t least) {
  std::vector<std::int64_t> values = ints_attribute(node, name);
  if (values.empty()) {
    return std::vector<std::int64_t>(count, fallback);
  }
  bool sound = values.size() == count && std::all_of(values.begin(), values.end(),
                                                     [&](std::int64_t v) { return v >= least && v < kFar; });
  if (!sound) {
    return Status::invalid_argument(fmt::format("attribute {} is [{}]; {} values of {} or more are needed",
                                                name, fmt::join(values, ", "), count, least));
  }
  return values;
}

/// ONNX auto_pad SAME_UPPER / SAME_LOWER: output = ceil(input / stride), the odd element at the end /
/// beginning.
void pad_same(WindowGeometry& window, std::size_t axis, bool upper) {
  std::int64_t stride = window.strides[axis];
  std::int64_t reach = window.dilations[axis] * (window.kernel[axis] - 1) + 1;
  std::int64_t out = (window.input[axis] + stride - 1) / stride;
  std::int64_t total = std::max<std::int64_t>(0, (out - 1) * stride + reach - window.input[axis]);
  window.pads_begin[axis] = upper ? total / 2 : total - total / 2;
  window.pads_end[axis] = total - window.pads_begin[axis];
}

}  // namespace

Result<WindowGeometry> window_geometry(const Node& node, const Dims& input,
                                       std::vector<std::int64_t> kernel) {
  if (input.size() < 3) {
    return Status::invalid_argument("input " + to_string(input) +
                                    " has no spatial axes; [N, C, ...] is needed");
  }
  std::size_t axes = input.size() - 2;
  WindowGeometry window;
  for (std::size_t i = 0; i < axes; ++i) {
    if (!input[i + 2].known()) {
      return Status::invalid_argument("input " + to_string(input) + " has an unknown spatial extent");
    }
    if (input[i + 2].extent >= kFar) {
      return Status::invalid_argument("input " + to_string(input) + " has a spatial extent beyond 2^31");
    }
    window.input.push_back(input[i + 2].extent);
  }
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> declared, axis_attribute(node, "kernel_shape", axes, 0, 1));
  if (kernel.empty()) {
    kernel = declared;
  } else if (declared[0] != 0 && declared != kernel) {
    return Status::invalid_argument(fmt::format("kernel_shape is [{}] but the weights are [{}]",
                                                fmt::join(declared, ", "), fmt::join(kernel, ", ")));
  }
  if (kernel.size() != axes ||
      std::any_of(kernel.begin(), kernel.end(), [](std::int64_t k) { return k < 1 || k >= kFar; })) {
    return Status::invalid_argument(
        fmt::format("kernel [{}] does not fit input {}", fmt::join(kernel, ", "), to_string(input)));
  }
  window.kernel = std::move(kernel);
  ZP_ASSIGN_OR_RETURN(window.strides, axis_attribute(node, "strides", axes, 1, 1));
  ZP_ASSIGN_OR_RETURN(window.dilations, axis_attribute(node, "dilations", axes, 1, 1));
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> pads, axis_attribute(node, "pads", 2 * axes, 0, 0));
  window.pads_begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
  window.pads_end.assign(pads.begin() + static_cast<std::ptrdiff_t>(axes), pads.end());

  std::string auto_pad = string_attribute(node, "auto_pad");
  bool ceil_mode = int_attribute(node, "ceil_mode") != 0;
  for (std::size_t i = 0; i < axes; ++i) {
    if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
      pad_same(window, i, auto_pad == "SAME_UPPER");
    } else if (auto_pad == "VALID") {
      window.pads_begin[i] = window.pads_end[i] = 0;
    } else if (auto_pad != "NOTSET" && !auto_pad.empty()) {
      return Status::invalid_argument("attribute auto_pad is '" + auto_pad +
                                      "'; NOTSET, SAME_UPPER, SAME_LOWER or VALID is needed");
    }
    std::int64_t padded = window.input[i] + window.pads_begin[i] + window.pads_end[i];
    std::int64_t reach = window.dilations[i] * (window.kernel[i] - 1) + 1;
    if (padded < reach) {
      return Status::invalid_argument(
          fmt::format("the window reaches over {} elements but input {} has {} with padding", reach,
                      to_string(input), padded));
    }
    std::int64_t steps = padded - reach;
    std::int64_t out = (ceil_mode ? (steps + window.strides[i] - 1) : steps) / window.strides[i] + 1;
    // With ceil_mode the last window must still start inside the input or its beginning padding.
    if (ceil_mode && (out - 1) * window.strides[i] >= window.input[i] + window.pads_begin[i]) {
      --out;
    }
    window.output.push_back(out);
  }
  return window;
}

}  // namespace zeropoint::toolchain
