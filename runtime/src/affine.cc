#include "zeropoint/affine.h"

#include <algorithm>

namespace zeropoint {
namespace {

constexpr float kSmallestScale = std::numeric_limits<float>::min();

float usable_scale(double scale) { return std::max(static_cast<float>(scale), kSmallestScale); }

QuantParams symmetric_params(double r_min, double r_max, QuantizedRange q, QuantizedType type,
                             float abs_max_floor) {
  std::int64_t zero_point = type.is_signed ? 0 : std::int64_t{1} << (type.bits - 1);
  double abs_max = std::max({std::abs(r_min), std::abs(r_max), static_cast<double>(abs_max_floor)});
  if (abs_max == 0) {
    return {1, zero_point};
  }
  return {usable_scale(abs_max / static_cast<double>(q.q_max - zero_point)), zero_point};
}

QuantParams asymmetric_params(double r_min, double r_max, QuantizedRange q, RangeRule rule) {
  if (rule == RangeRule::kContainZero || r_min == r_max) {
    r_min = std::min(r_min, 0.0);
    r_max = std::max(r_max, 0.0);
  }
  if (r_min == r_max) {
    return {1, std::clamp<std::int64_t>(0, q.q_min, q.q_max)};
  }
  float scale = usable_scale((r_max - r_min) / static_cast<double>(q.q_max - q.q_min));
  double zero_point = std::nearbyint(static_cast<double>(q.q_max) - r_max / scale);
  // Only kPlainMinMax can leave the range by more than rounding.
  zero_point = std::clamp(zero_point, static_cast<double>(q.q_min), static_cast<double>(q.q_max));
  return {scale, static_cast<std::int64_t>(zero_point)};
}

}  // namespace

Result<QuantizedRange> QuantizedType::range() const {
  if (!((bits >= 2 && bits <= 8) || bits == 16 || bits == 32)) {
    return Status::invalid_argument("a quantized type of ", bits,
                                    " bits is not supported; use 2 to 8, 16 or 32");
  }
  if (!is_signed) {
    if (narrow) {
      return Status::invalid_argument("only a signed type can be narrow");
    }
    return QuantizedRange{0, (std::int64_t{1} << bits) - 1};
  }
  std::int64_t half = std::int64_t{1} << (bits - 1);
  return QuantizedRange{narrow ? 1 - half : -half, half - 1};
}

ElementType QuantizedType::storage() const {
  if (bits <= 8) {
    return is_signed ? ElementType::kInt8 : ElementType::kUint8;
  }
  if (bits <= 16) {
    return is_signed ? ElementType::kInt16 : ElementType::kUint16;
  }
  return is_signed ? ElementType::kInt32 : ElementType::kUint32;
}

std::string QuantizedType::name() const {
  return (is_signed ? "int" : "uint") + std::to_string(bits) + (narrow ? " narrow" : "");
}

Result<QuantParams> choose_params(float r_min, float r_max, QuantizedType type, ParamsOptions options) {
  ZP_ASSIGN_OR_RETURN(QuantizedRange q, type.range());
  if (!(options.abs_max_floor >= 0) || std::isinf(options.abs_max_floor)) {
    return Status::invalid_argument("the floor of max|r| must be finite and not negative");
  }
  bool empty = r_min > r_max;
  if (empty) {
    r_min = r_max = 0;
  } else if (!std::isfinite(r_min) || !std::isfinite(r_max)) {
    return Status::invalid_argument("the range [", r_min, ", ", r_max, "] is not finite, so it has no scale");
  }
  if (options.scheme == Scheme::kSymmetric) {
    return symmetric_params(r_min, r_max, q, type, options.abs_max_floor);
  }
  return asymmetric_params(r_min, r_max, q, options.rule);
}

QuantizedRange storage_range(ElementType type) {
  QuantizedRange range{0, 0};
  if (type == ElementType::kInt4 || type == ElementType::kUint4) {
    return type == ElementType::kInt4 ? QuantizedRange{-8, 7} : QuantizedRange{0, 15};
  }
  visit_integer(type, [&](auto element) {
    using T = decltype(element);
    // Not a character: the sign is meant. NOLINTNEXTLINE(bugprone-signed-char-misuse)
    range.q_min = static_cast<std::int64_t>(std::numeric_limits<T>::min());
    // uint64 exceeds what a quantized value is counted in; no quantized type is stored in it.
    range.q_max = sizeof(T) == 8 ? std::numeric_limits<std::int64_t>::max()
                                 : static_cast<std::int64_t>(std::numeric_limits<T>::max());
  });
  return range;
}

}  // namespace zeropoint
