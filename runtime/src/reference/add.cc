#include "operators/broadcast.h"
#include "reference/elements.h"
#include "reference/operations.h"

namespace zeropoint::reference {
namespace {

/// The elements of a tensor of at most 16 bits, broadcast to `shape`.
Tensor broadcast_integers(const Tensor& tensor, const Shape& shape) {
  Tensor wide = Tensor::of<std::int32_t>(tensor.shape(), steps_of(tensor, 0));
  Tensor result(ElementType::kInt32, shape);
  const Tensor* inputs[] = {&wide};
  operators::broadcast_rows(inputs, result,
                            [](std::span<const std::byte* const> in, std::byte* out, std::int64_t count) {
                              std::copy_n(in[0], static_cast<std::size_t>(count) * sizeof(std::int32_t), out);
                            });
  return result;
}

}  // namespace

Result<Tensor> run(const AddOp& op, const Tensor& a, const Tensor& b, ElementType type) {
  ZP_ASSIGN_OR_RETURN(Shape shape, operators::broadcast_shapes(a.shape(), b.shape()));
  ZP_ASSIGN_OR_RETURN(Tensor output, make_tensor(type, shape));
  Tensor x = broadcast_integers(a, shape);
  Tensor y = broadcast_integers(b, shape);
  std::span<const std::int32_t> qa = x.data<std::int32_t>();
  std::span<const std::int32_t> qb = y.data<std::int32_t>();
  float ra = op.a_params.scale / op.to.params.scale;
  float rb = op.b_params.scale / op.to.params.scale;
  float fixed =
      static_cast<float>(op.to.params.zero_point) -
      (ra * static_cast<float>(op.a_params.zero_point) + rb * static_cast<float>(op.b_params.zero_point));
  fill(output, [&](std::int64_t i) {
    auto at = static_cast<std::size_t>(i);
    return quantize_steps(static_cast<float>(qa[at]) * ra + (static_cast<float>(qb[at]) * rb + fixed), 0,
                          op.to.range);
  });
  return output;
}

}  // namespace zeropoint::reference
