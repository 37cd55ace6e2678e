// ONNX Slice: every step-th element from start to before end, along chosen axes.

#include <algorithm>

#include "operators/axes.h"
#include "operators/move_elements.h"
#include "operators/operators.h"
#include "operators/visit_type.h"
#include "zeropoint/slice_range.h"

namespace zeropoint::operators {
namespace {

/// An optional list of as many integers as there are slices.
Result<std::vector<std::int64_t>> list_or(const OperatorCall& call, std::size_t input, std::size_t count,
                                          std::vector<std::int64_t> fallback) {
  if (call.has(input)) {
    ZP_ASSIGN_OR_RETURN(fallback, call.ints_input(input));
  }
  if (fallback.size() != count) {
    return Status::invalid_argument("input ", input, " has ", fallback.size(), " elements; ", count,
                                    " are needed");
  }
  return fallback;
}

}  // namespace

Result<std::vector<Tensor>> slice(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> starts, call.ints_input(1));
  std::size_t count = starts.size();
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> ends, list_or(call, 2, count, {}));
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> axes,
                      list_or(call, 3, count, evenly(static_cast<std::int64_t>(count), 1)));
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> steps,
                      list_or(call, 4, count, std::vector<std::int64_t>(count, 1)));
  std::vector<SliceRange> ranges;
  for (std::int64_t extent : x.shape()) {
    ranges.push_back({0, extent, 1});
  }
  Shape shape = x.shape();
  for (std::size_t i = 0; i < count; ++i) {
    ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_in(axes[i], x.shape()));
    ZP_ASSIGN_OR_RETURN(ranges[axis], slice_range(starts[i], ends[i], steps[i], x.shape()[axis]));
    shape[axis] = ranges[axis].count;
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), std::move(shape)));
  if (y.size() == 0) {
    return one(std::move(y));
  }
  std::vector<std::int64_t> strides = strides_of(x.shape());
  SourceOffsets offsets;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    offsets.push_back(evenly(ranges[i].count, ranges[i].step * strides[i], ranges[i].first * strides[i]));
  }
  move_elements(x, offsets, nullptr, y);
  return one(std::move(y));
}

}  // namespace zeropoint::operators
