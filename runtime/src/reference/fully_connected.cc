#include <cstddef>

#include "reference/finish_accumulator.h"
#include "reference/operations.h"

namespace zeropoint::reference {
namespace {

template <typename In, typename Out>
void multiply(const FullyConnectedOp& op, const Tensor& input, Tensor& output) {
  const In* x = input.data<In>().data();
  const std::int8_t* w = op.layer.weights.data<std::int8_t>().data();
  Out* out = output.data<Out>().data();
  std::int64_t depth = input.dim(1);
  for (std::int64_t n = 0; n < output.dim(0); ++n) {
    for (std::int64_t m = 0; m < output.dim(1); ++m) {
      std::int32_t sum = op.layer.folded_bias[static_cast<std::size_t>(m)];
      for (std::int64_t k = 0; k < depth; ++k) {
        sum += static_cast<std::int32_t>(x[n * depth + k]) * w[m * depth + k];
      }
      *out++ = static_cast<Out>(finish_accumulator(op.layer, sum, static_cast<std::size_t>(m)));
    }
  }
}

}  // namespace

void run(const FullyConnectedOp& op, const Tensor& input, Tensor& output) {
  visit_integer(input.type(), [&](auto in) {
    visit_integer(output.type(), [&](auto out) { multiply<decltype(in), decltype(out)>(op, input, output); });
  });
}

}  // namespace zeropoint::reference
