// ONNX Resize: one axis after another, each element of the output being a weighted sum of some of the input.

#include "zeropoint/resize.h"

#include <algorithm>
#include <numeric>

#include "operators/axes.h"
#include "operators/move_elements.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

using AxisTaps = std::vector<ResizeTaps>;

/// Elements outside of the input become `fill`.
void move_nearest(const Tensor& x, const AxisTaps& axes, const Tensor& fill, Tensor& y) {
  std::vector<std::int64_t> strides = strides_of(x.shape());
  SourceOffsets offsets(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    for (const std::vector<ResizeTaps::Tap>& taps : axes[i].taps) {
      offsets[i].push_back(taps.empty() ? kFill : taps[0].index * strides[i]);
    }
  }
  move_elements(x, offsets, fill.bytes(), y);
}

/// The axes in the order in which they are resized: those that shrink first, so that no tensor on the way is
/// larger than both the input and the output.
std::vector<std::size_t> order_of(const Shape& from, const Shape& to) {
  std::vector<std::size_t> order(from.size());
  std::iota(order.rbegin(), order.rend(), 0);
  std::stable_partition(order.begin(), order.end(), [&](std::size_t axis) { return to[axis] < from[axis]; });
  return order;
}

template <typename T>
Tensor interpolate(Tensor x, const AxisTaps& axes, const Shape& to) {
  for (std::size_t axis : order_of(x.shape(), to)) {
    Shape shape = x.shape();
    shape[axis] = to[axis];
    Tensor y(x.type(), shape);
    std::int64_t inner = extent_between(shape, axis + 1, shape.size());
    const T* in = x.data<T>().data();
    T* out = y.data<T>().data();
    for (std::int64_t outer = extent_between(shape, 0, axis); outer > 0; --outer) {
      for (const std::vector<ResizeTaps::Tap>& taps : axes[axis].taps) {
        for (std::int64_t i = 0; i < inner; ++i) {
          T sum{};
          for (const ResizeTaps::Tap& tap : taps) {
            sum += static_cast<T>(tap.weight) * in[tap.index * inner + i];
          }
          *out++ = sum;
        }
      }
      in += x.shape()[axis] * inner;
    }
    x = std::move(y);
  }
  return x;
}

/// The taps of axes that change: the others take each element as it is.
Result<AxisTaps> taps_of(const OperatorCall& call, const std::vector<ResizeAxis>& axes) {
  AxisTaps result;
  for (const ResizeAxis& axis : axes) {
    if (axis.output > 0 && axis.input == 0) {
      return Status::invalid_argument("an axis without elements cannot be resized");
    }
    ZP_ASSIGN_OR_RETURN(ResizeTaps taps, resize_taps(call.attributes(), axis));
    result.push_back(std::move(taps));
  }
  return result;
}

/// True where elements of the output lie outside of the input.
bool has_gaps(const AxisTaps& axes) {
  for (const ResizeTaps& axis : axes) {
    for (const std::vector<ResizeTaps::Tap>& taps : axis.taps) {
      if (taps.empty()) {
        return true;
      }
    }
  }
  return false;
}

/// Writes `value` where an element of y lies outside of the input along any axis.
template <typename T>
void fill_gaps(const AxisTaps& axes, T value, Tensor& y) {
  // Each element is its own source, unless it lies outside.
  Tensor filled = y;
  SourceOffsets offsets(axes.size());
  std::vector<std::int64_t> strides = strides_of(y.shape());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    for (std::size_t k = 0; k < axes[i].taps.size(); ++k) {
      offsets[i].push_back(axes[i].taps[k].empty() ? kFill : static_cast<std::int64_t>(k) * strides[i]);
    }
  }
  move_elements(filled, offsets, reinterpret_cast<const std::byte*>(&value), y);
}

}  // namespace

Result<std::vector<Tensor>> resize(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  // An empty tensor stands for an input that is not given.
  auto given = [&](std::size_t i) {
    return call.has(i) && call.input(i).size() > 0 ? &call.input(i) : nullptr;
  };
  std::vector<std::int64_t> sizes;
  if (given(3) != nullptr) {
    ZP_ASSIGN_OR_RETURN(sizes, call.ints_input(3));
  }
  ZP_ASSIGN_OR_RETURN(
      std::vector<ResizeAxis> axes,
      resize_axes(call.attributes(), x.shape(), given(1), given(2), given(3) == nullptr ? nullptr : &sizes));
  Shape shape;
  for (const ResizeAxis& axis : axes) {
    shape.push_back(axis.output);
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), shape));
  if (y.size() == 0) {
    return one(std::move(y));
  }
  ZP_ASSIGN_OR_RETURN(AxisTaps taps, taps_of(call, axes));
  if (call.string_attribute("mode") == "nearest") {
    Tensor fill(x.type(), {});
    if (has_gaps(taps)) {
      if (x.type() != ElementType::kFloat32) {
        return Status::unsupported("an extrapolation_value needs float32 elements");
      }
      fill.data<float>()[0] = call.float_attribute("extrapolation_value");
    }
    move_nearest(x, taps, fill, y);
    return one(std::move(y));
  }
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    y = interpolate<T>(x, taps, shape);
    if (has_gaps(taps)) {
      fill_gaps<T>(taps, static_cast<T>(call.float_attribute("extrapolation_value")), y);
    }
    return one(std::move(y));
  });
}

}  // namespace zeropoint::operators
