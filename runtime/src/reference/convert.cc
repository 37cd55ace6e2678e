// The borders of a program (real to integer and back), and reshaping.

#include <cstring>

#include "reference/operations.h"

namespace zeropoint::reference {

void run(const QuantizeOp& op, const Tensor& input, Tensor& output) {
  std::span<const float> in = input.data<float>();
  visit_integer(output.type(), [&](auto element) {
    using T = decltype(element);
    std::span<T> out = output.data<T>();
    for (std::size_t i = 0; i < in.size(); ++i) {
      out[i] = static_cast<T>(quantize(in[i], op.params, op.range));
    }
  });
}

void run(const DequantizeOp& op, const Tensor& input, Tensor& output) {
  std::span<float> out = output.data<float>();
  bool per_channel = op.scales.size() > 1;
  auto channels = static_cast<std::size_t>(per_channel ? input.dim(1) : 1);
  std::size_t inner = 1;
  for (std::int64_t axis = 2; per_channel && axis < input.rank(); ++axis) {
    inner *= static_cast<std::size_t>(input.dim(axis));
  }
  visit_integer(input.type(), [&](auto element) {
    using T = decltype(element);
    std::span<const T> in = input.data<T>();
    for (std::size_t i = 0; i < in.size(); ++i) {
      out[i] = dequantize(static_cast<std::int64_t>(in[i]), {op.scales[i / inner % channels], op.zero_point});
    }
  });
}

void run(const ReshapeOp& /*op*/, const Tensor& input, Tensor& output) {
  std::memcpy(output.bytes(), input.bytes(), input.byte_size());
}

}  // namespace zeropoint::reference
