#include "engine/operation_shapes.h"

#include <algorithm>

#include "operators/axes.h"
#include "zeropoint/window.h"

namespace zeropoint::engine {

Result<Shape> reduce_output(const ReduceOp& op, const Shape& input) {
  std::vector<bool> reduced(input.size());
  for (std::int64_t axis : op.axes) {
    ZP_ASSIGN_OR_RETURN(std::size_t at, operators::axis_in(axis, input));
    reduced[at] = true;
  }
  Shape out;
  bool empty = false;
  for (std::size_t i = 0; i < input.size(); ++i) {
    empty = empty || (reduced[i] && input[i] == 0);
    if (!reduced[i] || op.keep_axes) {
      out.push_back(reduced[i] ? 1 : input[i]);
    }
  }
  bool gives_none = std::ranges::find(out, 0) != out.end();
  if (op.mean && empty && !gives_none) {
    return Status::invalid_argument("there is no mean over no elements of ", input);
  }
  return out;
}

Result<Shape> average_pool_output(const AveragePoolOp& op, const Shape& input) {
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(Op::kAveragePool, op.attributes, input, {}));
  Shape out{input[0], input[1]};
  out.insert(out.end(), window.output.begin(), window.output.end());
  return out;
}

}  // namespace zeropoint::engine
