// ONNX Concat and Split: tensors joined along an axis, and taken apart.

#include <cstring>
#include <numeric>

#include "operators/axes.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// How many elements each output of a Split has along its axis.
Result<std::vector<std::int64_t>> split_extents(const OperatorCall& call, std::int64_t extent) {
  if (call.has(1)) {
    ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> extents, call.ints_input(1));
    std::int64_t left = extent;
    for (std::int64_t part : extents) {
      left = part < 0 || part > left ? -1 : left - part;
    }
    if (left != 0 || extents.size() < call.output_count()) {
      return Status::invalid_argument("parts ", extents, " do not make up the axis of input ",
                                      call.input(0).shape());
    }
    return extents;
  }
  std::int64_t declared = call.int_attribute("num_outputs");
  std::int64_t parts = declared > 0 ? declared : static_cast<std::int64_t>(call.output_count());
  constexpr std::int64_t kMostParts = 1 << 20;
  if (parts < static_cast<std::int64_t>(call.output_count()) || parts < 1 || parts > kMostParts) {
    return Status::invalid_argument("it cannot be split into ", parts, " parts");
  }
  std::int64_t part = extent / parts + (extent % parts == 0 ? 0 : 1);
  std::vector<std::int64_t> extents(static_cast<std::size_t>(parts), part);
  extents.back() = extent - part * (parts - 1);
  if (extents.back() < 0) {
    return Status::invalid_argument("an axis of ", extent, " elements cannot be split into ", parts,
                                    " equal parts");
  }
  return extents;
}

}  // namespace

Result<std::vector<Tensor>> concat(const OperatorCall& call) {
  const Tensor& first = call.input(0);
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_in(call.int_attribute("axis"), first.shape()));
  Shape shape = first.shape();
  for (std::size_t i = 1; i < call.input_count(); ++i) {
    if (!call.has(i) || call.input(i).type() != first.type()) {
      return Status::invalid_argument("its inputs must all be there and of one type");
    }
    Shape own = call.input(i).shape();
    bool fits = own.size() == shape.size() && !__builtin_add_overflow(shape[axis], own[axis], &shape[axis]);
    if (fits) {
      own[axis] = shape[axis];
    }
    if (!fits || own != shape) {
      return Status::invalid_argument("inputs ", first.shape(), " and ", call.input(i).shape(),
                                      " cannot be joined along axis ", axis);
    }
  }
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(first.type(), shape));
  if (y.size() == 0) {
    return one(std::move(y));
  }
  std::int64_t outer = extent_between(shape, 0, axis);
  std::byte* out = y.bytes();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < call.input_count(); ++i) {
      std::size_t block = call.input(i).byte_size() / static_cast<std::size_t>(outer);
      if (block > 0) {
        std::memcpy(out, call.input(i).bytes() + static_cast<std::size_t>(o) * block, block);
      }
      out += block;
    }
  }
  return one(std::move(y));
}

Result<std::vector<Tensor>> split(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_in(call.int_attribute("axis"), x.shape()));
  ZP_ASSIGN_OR_RETURN(AlongAxis along, AlongAxis::of(x.shape(), call.int_attribute("axis")));
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> extents, split_extents(call, along.extent));
  std::size_t inner = static_cast<std::size_t>(along.inner) * size_of(x.type());
  std::size_t begin = 0;  // of the part at hand, along the axis
  std::vector<Tensor> outputs;
  for (std::int64_t extent : extents) {
    Shape shape = x.shape();
    shape[axis] = extent;
    ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), std::move(shape)));
    std::size_t block = static_cast<std::size_t>(extent) * inner;
    for (std::int64_t o = 0; o < along.outer && y.size() > 0; ++o) {
      std::memcpy(y.bytes() + static_cast<std::size_t>(o) * block,
                  x.bytes() + (static_cast<std::size_t>(o * along.extent) + begin) * inner, block);
    }
    begin += static_cast<std::size_t>(extent);
    outputs.push_back(std::move(y));
  }
  return outputs;
}

}  // namespace zeropoint::operators
