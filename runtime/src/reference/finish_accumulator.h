#pragma once

#include <cstdint>

#include "zeropoint/program.h"

namespace zeropoint::reference {

/// What happens to the accumulator of output channel `channel`: requantization, or nothing.
inline std::int64_t finish_accumulator(const LinearLayer& layer, std::int32_t accumulator,
                                       std::size_t channel) {
  if (!layer.requantization) {
    return accumulator;
  }
  const Requantization& r = *layer.requantization;
  return std::visit([&](const auto& m) { return requantize(accumulator, m[channel], r.zero_point, r.clamp); },
                    r.multipliers);
}

}  // namespace zeropoint::reference
