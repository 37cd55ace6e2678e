#include "reference/elements.h"
#include "reference/linear_layer.h"
#include "reference/operations.h"

namespace zeropoint::reference {

Result<Tensor> run(const FullyConnectedOp& op, const Tensor& input, ElementType type) {
  std::int64_t channels = op.layer.weights.dim(0);
  std::int64_t depth = op.layer.weights.dim(1);
  if (input.rank() < 1 || input.dim(-1) != depth) {
    return Status::invalid_argument("weights ", op.layer.weights.shape(), " do not fit ", input.shape());
  }
  Shape shape = input.shape();
  shape.back() = channels;
  std::vector<std::int32_t> x = steps_of(input, 0);
  std::int64_t rows = depth == 0 ? 0 : input.size() / depth;
  std::vector<std::int64_t> sums(static_cast<std::size_t>(rows * channels));
  for (std::int64_t row = 0; row < rows; ++row) {
    accumulate(op.layer, x.data() + row * depth, 0, channels, sums.data() + row * channels, 1);
  }
  return finished(op.layer.requantization, sums, std::move(shape), 1, type);
}

}  // namespace zeropoint::reference
