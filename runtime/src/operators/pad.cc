// ONNX Pad: elements added before and behind along axes (constant, reflect, edge, wrap); negative pads remove
// elements.

#include <algorithm>

#include "operators/axes.h"
#include "operators/move_elements.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

struct Pads {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Inputs pads and axes, per axis of x; no axis may be named twice.
Result<std::vector<Pads>> pads_of(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> pads, call.ints_input(1));
  std::vector<std::int64_t> axes = evenly(x.rank(), 1);
  if (call.has(3)) {
    ZP_ASSIGN_OR_RETURN(axes, call.ints_input(3));
  }
  constexpr std::int64_t kFar = std::int64_t{1} << 40;
  bool sound = pads.size() == 2 * axes.size() &&
               std::ranges::all_of(pads, [](std::int64_t pad) { return pad > -kFar && pad < kFar; });
  if (!sound) {
    return Status::invalid_argument("pads ", pads, " do not fit input ", x.shape());
  }
  std::vector<Pads> result(x.shape().size());
  std::vector<bool> seen(x.shape().size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_in(axes[i], x.shape()));
    if (seen[axis]) {
      return Status::invalid_argument("axes ", axes, " name axis ", axis, " twice");
    }
    seen[axis] = true;
    result[axis] = {pads[i], pads[axes.size() + i]};
  }
  return result;
}

/// The value of padding, of the type of x: zero unless input 2 says another.
Result<Tensor> fill_of(const OperatorCall& call) {
  Tensor zero(call.input(0).type(), {});
  if (!call.has(2)) {
    return zero;
  }
  if (call.input(2).type() != zero.type() || call.input(2).size() != 1) {
    return Status::invalid_argument("its constant_value must be one ", name_of(zero.type()));
  }
  return call.input(2);
}

/// Where along an axis of `extent` elements, padded so, element `at` comes from: kFill for a constant.
/// Elements that negative pads remove are no source of others.
std::int64_t source(std::string_view mode, std::int64_t at, std::int64_t extent, Pads pads) {
  std::int64_t first = std::max<std::int64_t>(0, -pads.begin);
  std::int64_t kept = extent - first - std::max<std::int64_t>(0, -pads.end);
  std::int64_t i = at - pads.begin - first;
  if (i < 0 || i >= kept) {
    if (mode == "constant") {
      return kFill;
    }
    if (mode == "edge") {
      i = i < 0 ? 0 : kept - 1;
    } else if (mode == "wrap") {
      i = (i % kept + kept) % kept;
    } else {
      std::int64_t period = std::max<std::int64_t>(1, 2 * (kept - 1));
      i = (i % period + period) % period;
      i = i < kept ? i : period - i;
    }
  }
  return first + i;
}

}  // namespace

Result<std::vector<Tensor>> pad(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  std::string mode = call.string_attribute("mode");
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap") {
    return Status::invalid_argument("attribute mode is '", mode,
                                    "'; constant, reflect, edge or wrap is needed");
  }
  ZP_ASSIGN_OR_RETURN(std::vector<Pads> pads, pads_of(call));
  ZP_ASSIGN_OR_RETURN(Tensor fill, fill_of(call));
  Shape shape = x.shape();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    std::int64_t kept =
        shape[i] + std::min<std::int64_t>(0, pads[i].begin) + std::min<std::int64_t>(0, pads[i].end);
    std::int64_t padded = 0;
    if (__builtin_add_overflow(shape[i], pads[i].begin + pads[i].end, &padded)) {
      return Status::invalid_argument("pads make an extent beyond 63 bits of input ", x.shape());
    }
    if (kept < 0 || (kept == 0 && padded > 0 && mode != "constant")) {
      return Status::invalid_argument("input ", x.shape(), " has too few elements along axis ", i,
                                      " for pads ", pads[i].begin, " and ", pads[i].end);
    }
    shape[i] = padded;
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), shape));
  if (y.size() == 0) {
    return one(std::move(y));
  }
  std::vector<std::int64_t> strides = strides_of(x.shape());
  SourceOffsets offsets(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    for (std::int64_t at = 0; at < shape[i]; ++at) {
      std::int64_t from = source(mode, at, x.shape()[i], pads[i]);
      offsets[i].push_back(from == kFill ? kFill : from * strides[i]);
    }
  }
  move_elements(x, offsets, fill.bytes(), y);
  return one(std::move(y));
}

}  // namespace zeropoint::operators
