// ONNX Transpose, DepthToSpace and SpaceToDepth: the axes of a tensor in another order.

#include <numeric>

#include "operators/move_elements.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// The elements of x, seen as a tensor of `view`, with axis i of the result being axis order[i] of the view.
void permute(const Tensor& x, const Shape& view, const std::vector<std::size_t>& order, Tensor& y) {
  if (y.size() == 0) {
    return;
  }
  std::vector<std::int64_t> strides = strides_of(view);
  SourceOffsets offsets;
  for (std::size_t axis : order) {
    offsets.push_back(evenly(view[axis], strides[axis]));
  }
  move_elements(x, offsets, nullptr, y);
}

/// The order of axes that attribute perm says: the reverse where it is absent.
Result<std::vector<std::size_t>> order_of_axes(const OperatorCall& call) {
  std::size_t rank = call.input(0).shape().size();
  std::vector<std::int64_t> perm = call.ints_attribute("perm");
  std::vector<std::size_t> order(rank);
  std::iota(order.rbegin(), order.rend(), 0);
  if (perm.empty()) {
    return order;
  }
  std::vector<bool> seen(rank, false);
  bool sound = perm.size() == rank;
  for (std::size_t i = 0; sound && i < rank; ++i) {
    sound =
        perm[i] >= 0 && perm[i] < static_cast<std::int64_t>(rank) && !seen[static_cast<std::size_t>(perm[i])];
    if (sound) {
      order[i] = static_cast<std::size_t>(perm[i]);
      seen[order[i]] = true;
    }
  }
  if (!sound) {
    return Status::invalid_argument("attribute perm ", perm, " does not order the axes of input ",
                                    call.input(0).shape());
  }
  return order;
}

/// Attribute blocksize of an operator on images [N, C, H, W].
Result<std::int64_t> block_of_image(const OperatorCall& call) {
  std::int64_t block = call.int_attribute("blocksize");
  if (call.input(0).rank() != 4 || block < 1) {
    return Status::invalid_argument("input ", call.input(0).shape(), " with blocksize ", block,
                                    "; [N, C, H, W] and 1 or more are needed");
  }
  return block;
}

Result<std::int64_t> times(std::int64_t extent, std::int64_t block) {
  if (__builtin_mul_overflow(extent, block, &extent)) {
    return Status::invalid_argument("blocksize ", block, " makes extents beyond 63 bits");
  }
  return extent;
}

Status does_not_divide(const OperatorCall& call, std::int64_t block) {
  return Status::invalid_argument("blocksize ", block, " does not divide input ", call.input(0).shape());
}

}  // namespace

Result<std::vector<Tensor>> transpose(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(std::vector<std::size_t> order, order_of_axes(call));
  Shape shape;
  for (std::size_t axis : order) {
    shape.push_back(x.shape()[axis]);
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), std::move(shape)));
  permute(x, x.shape(), order, y);
  return one(std::move(y));
}

// y[n, c, h * b + i, w * b + j] = x[n, channel(c, i, j), h, w], the block's position before the channel in
// mode DCR, behind it in CRD.
Result<std::vector<Tensor>> depth_to_space(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(std::int64_t b, block_of_image(call));
  if (b > x.dim(1) || x.dim(1) / b % b != 0 || x.dim(1) % b != 0) {
    return does_not_divide(call, b);
  }
  std::int64_t c = x.dim(1) / b / b;
  ZP_ASSIGN_OR_RETURN(std::int64_t height, times(x.dim(2), b));
  ZP_ASSIGN_OR_RETURN(std::int64_t width, times(x.dim(3), b));
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), {x.dim(0), c, height, width}));
  std::string mode = call.string_attribute("mode");
  if (mode == "DCR") {
    permute(x, {x.dim(0), b, b, c, x.dim(2), x.dim(3)}, {0, 3, 4, 1, 5, 2}, y);
  } else if (mode == "CRD") {
    permute(x, {x.dim(0), c, b, b, x.dim(2), x.dim(3)}, {0, 1, 4, 2, 5, 3}, y);
  } else {
    return Status::invalid_argument("attribute mode is '", mode, "'; DCR or CRD is needed");
  }
  return one(std::move(y));
}

Result<std::vector<Tensor>> space_to_depth(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(std::int64_t b, block_of_image(call));
  if (x.dim(2) % b != 0 || x.dim(3) % b != 0) {
    return does_not_divide(call, b);
  }
  ZP_ASSIGN_OR_RETURN(std::int64_t depth, times(x.dim(1), b));
  ZP_ASSIGN_OR_RETURN(depth, times(depth, b));
  Shape shape{x.dim(0), depth, x.dim(2) / b, x.dim(3) / b};
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), shape));
  permute(x, {x.dim(0), x.dim(1), shape[2], b, shape[3], b}, {0, 3, 5, 1, 2, 4}, y);
  return one(std::move(y));
}

}  // namespace zeropoint::operators
