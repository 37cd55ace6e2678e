#include "zeropoint/half.h"

#include <cassert>
#include <cmath>
#include <cstring>

namespace zeropoint {

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

std::uint16_t float32_to_float16_bits(float value) {
  auto bits = std::bit_cast<std::uint32_t>(value);
  auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  if (std::isnan(value)) {
    return static_cast<std::uint16_t>(sign | 0x7e00u);
  }
  float magnitude = std::fabs(value);
  if (magnitude >= 65520.0F) {  // half way to what would follow the largest, 65504
    return static_cast<std::uint16_t>(sign | 0x7c00u);
  }
  if (magnitude < 0x1p-14F) {
    // Denormals are multiples of 2^-24; adding 2^-1, whose last bit is 2^-24, rounds to them.
    auto rounded = std::bit_cast<std::uint32_t>(magnitude + 0.5F) - std::bit_cast<std::uint32_t>(0.5F);
    return static_cast<std::uint16_t>(sign | rounded);
  }
  std::uint32_t even = (std::bit_cast<std::uint32_t>(magnitude) >> 13) & 1u;
  std::uint32_t rounded = std::bit_cast<std::uint32_t>(magnitude) + 0xfffu + even;
  return static_cast<std::uint16_t>(sign | ((rounded - ((127u - 15u) << 23)) >> 13));
}

std::uint16_t float32_to_bfloat16_bits(float value) {
  auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) {
    return static_cast<std::uint16_t>((bits >> 16) | 0x0040u);
  }
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

Tensor widen(const Tensor& half) {
  assert(is_half(half.type()));
  Tensor result(ElementType::kFloat32, half.shape());
  const auto* in = reinterpret_cast<const std::uint16_t*>(half.bytes());
  std::span<float> out = result.data<float>();
  bool binary16 = half.type() == ElementType::kFloat16;
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint32_t bits = binary16 ? float16_to_float32_bits(in[i]) : bfloat16_to_float32_bits(in[i]);
    std::memcpy(&out[i], &bits, sizeof(bits));
  }
  return result;
}

Tensor narrow(const Tensor& floats, ElementType type) {
  assert(is_half(type));
  Tensor result(type, floats.shape());
  std::span<const float> in = floats.data<float>();
  auto* out = reinterpret_cast<std::uint16_t*>(result.bytes());
  for (std::size_t i = 0; i < in.size(); ++i) {
    out[i] = type == ElementType::kFloat16 ? float32_to_float16_bits(in[i]) : float32_to_bfloat16_bits(in[i]);
  }
  return result;
}

}  // namespace zeropoint
