#include "zeropoint/toolchain/to_float32.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "io/catch_exceptions.h"

namespace zeropoint::toolchain {
namespace {

/// Fills a float32 tensor with function(element), which returns the bits of a float32.
template <typename From, typename Function>
Tensor convert(const Tensor& tensor, Function function) {
  Tensor result(ElementType::kFloat32, tensor.shape());
  for (std::size_t i = 0; i < static_cast<std::size_t>(tensor.size()); ++i) {
    From element;
    std::memcpy(&element, tensor.bytes() + i * sizeof(From), sizeof(From));
    std::uint32_t bits = function(element);
    std::memcpy(result.bytes() + i * sizeof(bits), &bits, sizeof(bits));
  }
  return result;
}

}  // namespace

std::uint32_t float16_to_float32_bits(std::uint16_t half) {
  std::uint32_t sign = (half & 0x8000u) << 16;
  std::uint32_t exponent = (half >> 10) & 0x1fu;
  std::uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0x1f) {
    return sign | 0x7f800000u | (mantissa << 13);
  }
  if (exponent != 0) {
    return sign | ((exponent + 127 - 15) << 23) | (mantissa << 13);
  }
  // A denormal is mantissa * 2^-24, which float32 has as a normal number.
  return sign | std::bit_cast<std::uint32_t>(static_cast<float>(mantissa) * 0x1p-24f);
}

Result<Tensor> to_float32(const Tensor& tensor) {
  return catch_exceptions("to_float32", [&]() -> Result<Tensor> {
    switch (tensor.type()) {
      case ElementType::kFloat32:
        return tensor;
      case ElementType::kFloat16:
        return convert<std::uint16_t>(tensor, float16_to_float32_bits);
      case ElementType::kBFloat16:
        // bfloat16 is the upper half of a float32.
        return convert<std::uint16_t>(tensor,
                                      [](std::uint16_t element) { return std::uint32_t{element} << 16; });
      case ElementType::kFloat64:
        return convert<double>(
            tensor, [](double element) { return std::bit_cast<std::uint32_t>(static_cast<float>(element)); });
      default:
        return Status::invalid_argument(
            fmt::format("cannot read {} elements as float32: only floating-point tensors convert",
                        name_of(tensor.type())));
    }
  });
}

}  // namespace zeropoint::toolchain
