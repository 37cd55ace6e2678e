#include "reference/elements.h"

#include "operators/axes.h"

namespace zeropoint::reference {

Result<Tensor> make_tensor(ElementType type, Shape shape) {
  Result<std::int64_t> count = element_count(shape);
  if (!count.ok() || *count > (std::int64_t{1} << 40)) {
    return Status::resource_exhausted("an output of shape ", shape, " is too large");
  }
  return Tensor(type, std::move(shape));
}

std::vector<std::int32_t> steps_of(const Tensor& tensor, std::int64_t zero_point) {
  std::vector<std::int32_t> steps(static_cast<std::size_t>(tensor.size()));
  visit_integer(tensor.type(), [&](auto element) {
    auto values = tensor.data<decltype(element)>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      steps[i] = static_cast<std::int32_t>(values[i]) - static_cast<std::int32_t>(zero_point);
    }
  });
  return steps;
}

Result<Tensor> dequantized(const Tensor& tensor, const Dequantization& from) {
  operators::AlongAxis along{tensor.size(), 1, 1};
  if (from.scales.size() > 1) {
    ZP_ASSIGN_OR_RETURN(along, operators::AlongAxis::of(tensor.shape(), from.axis));
    if (along.extent != static_cast<std::int64_t>(from.scales.size())) {
      return Status::invalid_argument(from.scales.size(), " scales do not fit axis ", from.axis, " of ",
                                      tensor.shape());
    }
  }
  Tensor real(ElementType::kFloat32, tensor.shape());
  float* out = real.data<float>().data();
  visit_integer(tensor.type(), [&](auto element) {
    const auto* in = tensor.data<decltype(element)>().data();
    for (std::int64_t outer = 0; outer < along.outer; ++outer) {
      for (std::int64_t c = 0; c < along.extent; ++c) {
        QuantParams params{from.scales[static_cast<std::size_t>(c)], from.zero_point};
        for (std::int64_t i = 0; i < along.inner; ++i) {
          *out++ = dequantize(static_cast<std::int64_t>(*in++), params);
        }
      }
    }
  });
  return real;
}

Tensor quantized(const Tensor& real, const Quantization& to, ElementType type) {
  Tensor result(type, real.shape());
  const float* in = real.data<float>().data();
  fill(result, [&](std::int64_t i) { return quantize(in[i], to.params, to.range); });
  return result;
}

}  // namespace zeropoint::reference
