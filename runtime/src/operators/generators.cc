// ONNX Constant, ConstantOfShape, Range, EyeLike, OneHot: tensors from little.

#include <algorithm>
#include <cmath>

#include "operators/axes.h"
#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/wide.h"

namespace zeropoint::operators {
namespace {

template <typename T>
const T* find(const OperatorCall& call, std::string_view name) {
  auto found = call.attributes().find(name);
  return found == call.attributes().end() ? nullptr : std::get_if<T>(&found->second);
}

constexpr double kMostSteps = 0x1p62;

/// The number of steps from `start` in the direction of `step`, which is not 0, before `limit`.
std::int64_t step_count(double start, double limit, double step) {
  double steps = std::ceil((limit - start) / step);
  return steps > 0 ? static_cast<std::int64_t>(std::min(steps, kMostSteps)) : 0;
}
std::int64_t step_count(std::int64_t start, std::int64_t limit, std::int64_t step) {
  if (step > 0 ? start >= limit : start <= limit) {
    return 0;
  }
  // In unsigned arithmetic nothing overflows.
  auto distance = static_cast<std::uint64_t>(limit) - static_cast<std::uint64_t>(start);
  auto stride = static_cast<std::uint64_t>(step);
  std::uint64_t count = step > 0 ? (distance - 1) / stride + 1 : (0 - distance - 1) / (0 - stride) + 1;
  return static_cast<std::int64_t>(std::min(count, static_cast<std::uint64_t>(kMostSteps)));
}

double element_at(double start, double step, std::int64_t i) { return start + static_cast<double>(i) * step; }
std::int64_t element_at(std::int64_t start, std::int64_t step, std::int64_t i) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(start) +
                                   static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(step));
}

/// A Range over W, its elements converted to those of the inputs at the end.
template <typename W>
Result<Tensor> range_of(const OperatorCall& call, ElementType wide) {
  W bounds[3];
  for (std::size_t i = 0; i < 3; ++i) {
    bounds[i] = convert(call.input(i), wide).data<W>()[0];
  }
  if (!(bounds[2] < 0 || bounds[2] > 0)) {
    return Status::invalid_argument("its step must not be 0");
  }
  std::int64_t count = step_count(bounds[0], bounds[1], bounds[2]);
  ZP_ASSIGN_OR_RETURN(Tensor output, call.make_output(wide, {count}));
  std::int64_t i = 0;
  for (W& element : output.data<W>()) {
    element = element_at(bounds[0], bounds[2], i++);
  }
  return convert(output, call.input(0).type());
}

}  // namespace

Result<std::vector<Tensor>> constant(const OperatorCall& call) {
  if (const Tensor* value = tensor_attribute(call.attributes(), "value"); value != nullptr) {
    return one(*value);
  }
  if (const auto* value = find<float>(call, "value_float"); value != nullptr) {
    return one(Tensor::of<float>({}, std::vector<float>{*value}));
  }
  if (const auto* value = find<std::int64_t>(call, "value_int"); value != nullptr) {
    return one(Tensor::of<std::int64_t>({}, std::vector<std::int64_t>{*value}));
  }
  if (const auto* values = find<std::vector<float>>(call, "value_floats"); values != nullptr) {
    return one(Tensor::of<float>({static_cast<std::int64_t>(values->size())}, *values));
  }
  if (const auto* values = find<std::vector<std::int64_t>>(call, "value_ints"); values != nullptr) {
    return one(Tensor::of<std::int64_t>({static_cast<std::int64_t>(values->size())}, *values));
  }
  return Status::invalid_argument("it has no value");
}

Result<std::vector<Tensor>> constant_of_shape(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(Shape shape, call.ints_input(0));
  const Tensor* value = tensor_attribute(call.attributes(), "value");
  if (value != nullptr && value->size() != 1) {
    return Status::invalid_argument("attribute value has ", value->size(), " elements; 1 is needed");
  }
  ElementType type = value == nullptr ? ElementType::kFloat32 : value->type();
  ZP_ASSIGN_OR_RETURN(Tensor output, call.make_output(type, std::move(shape)));
  if (value != nullptr) {
    visit_width(type, [&](auto element) {
      using T = decltype(element);
      std::span<T> elements = elements_as<T>(output);
      std::fill(elements.begin(), elements.end(), elements_as<T>(*value)[0]);
    });
  }
  return one(std::move(output));
}

Result<std::vector<Tensor>> range(const OperatorCall& call) {
  ElementType type = call.input(0).type();
  for (std::size_t i = 0; i < 3; ++i) {
    if (call.input(i).size() != 1 || call.input(i).type() != type) {
      return Status::invalid_argument("start, limit and delta must be scalars of one type");
    }
  }
  if (type == ElementType::kBool || type == ElementType::kUint64) {
    return Status::unsupported("it is not computed on ", name_of(type));
  }
  ZP_ASSIGN_OR_RETURN(Tensor output, is_integer(type) ? range_of<std::int64_t>(call, ElementType::kInt64)
                                                      : range_of<double>(call, ElementType::kFloat64));
  return one(std::move(output));
}

Result<std::vector<Tensor>> eye_like(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  std::int64_t dtype = call.int_attribute("dtype");
  std::optional<ElementType> type = dtype == 0 ? x.type() : element_type_of(dtype);
  if (!type || x.rank() != 2) {
    return Status::invalid_argument("it needs a matrix and an element type; its input is ", x.shape(),
                                    ", its dtype ", dtype);
  }
  ZP_ASSIGN_OR_RETURN(Tensor output, call.make_output(*type, x.shape()));
  std::int64_t k = call.int_attribute("k");
  const std::int64_t one_element = 1;
  if (k > -x.dim(0) && k < x.dim(1)) {
    for (std::int64_t row = std::max<std::int64_t>(0, -k); row < x.dim(0) && row + k < x.dim(1); ++row) {
      store_wide(&one_element, 1, output, row * x.dim(1) + row + k);
    }
  }
  return one(std::move(output));
}

Result<std::vector<Tensor>> one_hot(const OperatorCall& call) {
  const Tensor& indices = call.input(0);
  if (call.input(1).size() != 1 || call.input(2).size() != 2) {
    return Status::invalid_argument("depth must be one number and values two");
  }
  std::int64_t depth = convert(call.input(1), ElementType::kInt64).data<std::int64_t>()[0];
  Shape shape = indices.shape();
  std::int64_t axis = call.int_attribute("axis");
  shape.push_back(depth);  // where the new axis is counted from
  ZP_ASSIGN_OR_RETURN(std::size_t at, axis_in(axis, shape));
  shape.pop_back();
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(at), depth);
  const Tensor& values = call.input(2);
  ZP_ASSIGN_OR_RETURN(Tensor output, call.make_output(values.type(), shape));
  Tensor hot = convert(indices, ElementType::kInt64);
  std::int64_t inner = extent_between(shape, at + 1, shape.size());
  visit_width(values.type(), [&](auto element) {
    using T = decltype(element);
    std::span<T> out = elements_as<T>(output);
    std::span<const T> off_on = elements_as<T>(values);
    std::fill(out.begin(), out.end(), off_on[0]);
    for (std::int64_t i = 0; i < (output.size() == 0 ? 0 : hot.size()); ++i) {
      std::int64_t index = hot.data<std::int64_t>()[static_cast<std::size_t>(i)];
      index += index < 0 ? depth : 0;
      if (index >= 0 && index < depth) {  // an index outside leaves its lane off
        out[static_cast<std::size_t>((i / inner * depth + index) * inner + i % inner)] = off_on[1];
      }
    }
  });
  return one(std::move(output));
}

}  // namespace zeropoint::operators
