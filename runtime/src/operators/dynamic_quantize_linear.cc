// ONNX DynamicQuantizeLinear: the whole tensor to uint8, its scale and zero point from its own range.

#include <algorithm>
#include <cmath>

#include "operators/operators.h"
#include "operators/visit_type.h"
#include "zeropoint/affine.h"

namespace zeropoint::operators {

// scale = (max(x, 0) - min(x, 0)) / 255, zero_point = round_half_even(-min(x, 0) / scale), in float32. A
// scale that rounds to 0 is that of zeros alone, 1.
Result<std::vector<Tensor>> dynamic_quantize_linear(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  if (x.type() != ElementType::kFloat32) {
    return Status::unsupported(name_of(x.type()), " cannot be quantized here; float32 can");
  }
  float lowest = 0;
  float highest = 0;
  for (float real : x.data<float>()) {
    if (!std::isfinite(real)) {
      return Status::invalid_argument("its input is not finite, so that it has no range");
    }
    lowest = std::min(lowest, real);
    highest = std::max(highest, real);
  }
  if (!std::isfinite(highest - lowest)) {
    return Status::invalid_argument("its input ranges over more than float32 holds");
  }
  float scale = (highest - lowest) / 255.0F;
  QuantParams params{scale == 0 ? 1.0F : scale, 0};
  QuantizedRange range = storage_range(ElementType::kUint8);
  params.zero_point = quantize_steps((0.0F - lowest) / params.scale, 0, range);
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(ElementType::kUint8, x.shape()));
  std::transform(x.data<float>().begin(), x.data<float>().end(), y.data<std::uint8_t>().begin(),
                 [&](float real) { return static_cast<std::uint8_t>(quantize(real, params, range)); });
  std::vector<Tensor> outputs = one(std::move(y));
  outputs.push_back(Tensor::of<float>({}, std::vector<float>{params.scale}));
  outputs.push_back(
      Tensor::of<std::uint8_t>({}, std::vector<std::uint8_t>{static_cast<std::uint8_t>(params.zero_point)}));
  return outputs;
}

}  // namespace zeropoint::operators
