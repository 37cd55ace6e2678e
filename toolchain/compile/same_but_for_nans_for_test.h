#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>

#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// Equal but for NaNs of float32: which one it is, is not defined.
inline bool same_but_for_nans(const Tensor& a, const Tensor& b) {
  if (a.type() != ElementType::kFloat32 || a.type() != b.type() || a.shape() != b.shape()) {
    return a == b;
  }
  std::span<const float> x = a.data<float>();
  std::span<const float> y = b.data<float>();
  return std::equal(x.begin(), x.end(), y.begin(), [](float p, float q) {
    return std::isnan(p) ? std::isnan(q) : std::bit_cast<std::uint32_t>(p) == std::bit_cast<std::uint32_t>(q);
  });
}

}  // namespace zeropoint::toolchain
