#include "operators/wide.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "zeropoint/half.h"

namespace zeropoint::operators {
namespace {

/// float32 rounded to odd: rounding it once more, to a half, gives what rounding the double to it gives.
float round_to_odd(double value) {
  auto rounded = static_cast<float>(value);
  bool inexact = static_cast<double>(rounded) != value && std::isfinite(value) && std::isfinite(rounded);
  if (!inexact || (std::bit_cast<std::uint32_t>(rounded) & 1U) != 0) {
    return rounded;
  }
  float towards =
      value > rounded ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity();
  return std::nextafter(rounded, towards);
}

/// The nearest T towards zero.
template <typename T>
T saturated(double value) {
  constexpr auto kLowest = static_cast<double>(std::numeric_limits<T>::lowest());
  constexpr auto kMost = static_cast<double>(std::numeric_limits<T>::max());  // perhaps one too many
  if (!(value > kLowest)) {
    return std::isnan(value) ? T{} : std::numeric_limits<T>::lowest();
  }
  return value >= kMost ? std::numeric_limits<T>::max() : static_cast<T>(value);
}

template <typename T, typename W>
T converted(W value) {
  if constexpr (std::is_same_v<W, double> && std::is_integral_v<T>) {
    return saturated<T>(value);
  } else {
    return static_cast<T>(value);
  }
}

template <typename T, typename W>
void store_as(const W* in, std::int64_t count, std::byte* bytes, std::int64_t first) {
  std::transform(in, in + count, reinterpret_cast<T*>(bytes) + first,
                 [](W value) { return converted<T>(value); });
}

template <typename W>
std::uint16_t half_of(W value, ElementType type) {
  float real;
  if constexpr (std::is_same_v<W, double>) {
    real = round_to_odd(value);
  } else {
    real = static_cast<float>(value);
  }
  return type == ElementType::kFloat16 ? float32_to_float16_bits(real) : float32_to_bfloat16_bits(real);
}

/// An element of 4 bits in its byte.
template <typename W>
std::uint8_t nibble_of(W value, bool is_signed) {
  std::uint8_t bits;
  if constexpr (std::is_same_v<W, double>) {
    double low = is_signed ? -8 : 0;
    double bounded = std::isnan(value) ? 0 : std::clamp(std::nearbyint(value), low, low + 15);
    bits = static_cast<std::uint8_t>(static_cast<int>(bounded) & 15);
  } else {
    bits = static_cast<std::uint8_t>(value & 15);
  }
  return is_signed && bits >= 8 ? static_cast<std::uint8_t>(bits | 0xf0U) : bits;
}

}  // namespace

template <typename W>
void load_wide(const std::byte* bytes, ElementType type, std::int64_t first, std::int64_t count, W* out) {
  auto load = [&](auto element) {
    const auto* in = reinterpret_cast<const decltype(element)*>(bytes) + first;
    std::transform(in, in + count, out, [](auto value) { return static_cast<W>(value); });
  };
  if constexpr (std::is_same_v<W, double>) {
    if (is_half(type)) {
      const auto* in = reinterpret_cast<const std::uint16_t*>(bytes) + first;
      bool binary16 = type == ElementType::kFloat16;
      std::transform(in, in + count, out, [&](std::uint16_t half) {
        std::uint32_t bits = binary16 ? float16_to_float32_bits(half) : bfloat16_to_float32_bits(half);
        return static_cast<double>(std::bit_cast<float>(bits));
      });
    } else if (type == ElementType::kFloat32) {
      load(float{});
    } else {
      load(double{});
    }
  } else if constexpr (std::is_same_v<W, std::uint64_t>) {
    load(std::uint64_t{});
  } else {
    if (type == ElementType::kBool) {
      const auto* in = reinterpret_cast<const std::uint8_t*>(bytes) + first;
      std::transform(in, in + count, out, [](std::uint8_t value) { return value != 0 ? 1 : 0; });
    } else {
      visit_integer(type, load);
    }
  }
}

template <typename W>
void store_wide(const W* in, std::int64_t count, std::byte* bytes, ElementType type, std::int64_t first) {
  switch (type) {
    case ElementType::kFloat32:
      return store_as<float>(in, count, bytes, first);
    case ElementType::kFloat64:
      return store_as<double>(in, count, bytes, first);
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
      std::transform(in, in + count, reinterpret_cast<std::uint16_t*>(bytes) + first,
                     [&](W value) { return half_of(value, type); });
      return;
    case ElementType::kInt4:
    case ElementType::kUint4:
      std::transform(in, in + count, reinterpret_cast<std::uint8_t*>(bytes) + first,
                     [&](W value) { return nibble_of(value, type == ElementType::kInt4); });
      return;
    case ElementType::kBool:
      std::transform(in, in + count, reinterpret_cast<std::uint8_t*>(bytes) + first,
                     [](W value) { return static_cast<std::uint8_t>(value != W{}); });
      return;
    default:
      visit_integer(type, [&](auto element) { store_as<decltype(element)>(in, count, bytes, first); });
  }
}

template <typename W>
void load_wide(const Tensor& tensor, std::int64_t first, std::int64_t count, W* out) {
  load_wide(tensor.bytes(), tensor.type(), first, count, out);
}

template <typename W>
void store_wide(const W* in, std::int64_t count, Tensor& tensor, std::int64_t first) {
  store_wide(in, count, tensor.bytes(), tensor.type(), first);
}

template void load_wide(const Tensor&, std::int64_t, std::int64_t, double*);
template void load_wide(const Tensor&, std::int64_t, std::int64_t, std::int64_t*);
template void load_wide(const Tensor&, std::int64_t, std::int64_t, std::uint64_t*);
template void store_wide(const double*, std::int64_t, Tensor&, std::int64_t);
template void store_wide(const std::int64_t*, std::int64_t, Tensor&, std::int64_t);
template void store_wide(const std::uint64_t*, std::int64_t, Tensor&, std::int64_t);

void convert(const std::byte* in, ElementType from, std::byte* out, ElementType to, std::int64_t count) {
  visit_wide(from, [&](auto wide) {
    constexpr std::int64_t kBlock = 512;
    decltype(wide) block[kBlock];
    for (std::int64_t first = 0; first < count; first += kBlock) {
      std::int64_t size = std::min(kBlock, count - first);
      load_wide(in, from, first, size, block);
      store_wide(block, size, out, to, first);
    }
  });
}

Tensor convert(const Tensor& tensor, ElementType type) {
  if (tensor.type() == type) {
    return tensor;
  }
  Tensor result(type, tensor.shape());
  convert(tensor.bytes(), tensor.type(), result.bytes(), type, tensor.size());
  return result;
}

}  // namespace zeropoint::operators
