#include "simplify/integer_moves.h"

#include <algorithm>

#include "zeropoint/affine.h"

namespace zeropoint::toolchain {
namespace {

constexpr Op kMoves[] = {
    Op::kDepthToSpace, Op::kDropout,      Op::kExpand,    Op::kFlatten,   Op::kGather,    Op::kIdentity,
    Op::kMaxPool,      Op::kReduceMax,    Op::kReduceMin, Op::kReshape,   Op::kSlice,     Op::kSplit,
    Op::kSqueeze,      Op::kSpaceToDepth, Op::kTile,      Op::kTranspose, Op::kUnsqueeze, Op::kGlobalMaxPool};

std::int64_t value_of(const Tensor* integer) {
  std::int64_t value = 0;
  if (integer != nullptr && integer->size() > 0) {
    visit_integer(integer->type(), [&](auto element) {
      value = static_cast<std::int64_t>(integer->data<decltype(element)>()[0]);
    });
  }
  return value;
}

}  // namespace

bool moves_integers(const Node& node) {
  return std::find(std::begin(kMoves), std::end(kMoves), node.op) != std::end(kMoves) ||
         (node.op == Op::kResize && string_attribute(node, "mode") == "nearest");
}

Tensor real_of_one(const Tensor* integer, const Tensor& scale, const Tensor* zero_point) {
  QuantParams params{scale.data<float>()[0], value_of(zero_point)};
  return Tensor::of<float>({}, std::vector{dequantize(value_of(integer), params)});
}

}  // namespace zeropoint::toolchain
