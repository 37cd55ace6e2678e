#pragma once

#include <cstdint>
#include <vector>

#include "zeropoint/operations.h"

namespace zeropoint::reference {

/// Computes acc[m] = folded_bias[m] + sum over k of inputs[k] * w[m][k] for the output channels
/// [first, first + count), into out[0], out[step], ...
void accumulate(const LinearLayer& layer, const std::int32_t* inputs, std::int64_t first, std::int64_t count,
                std::int64_t* out, std::int64_t step);

/// Accumulators to outputs: requantized, or as they are. Element i belongs to channel i / inner % channels.
Result<Tensor> finished(const std::optional<Requantization>& requantization,
                        const std::vector<std::int64_t>& accumulators, Shape shape, std::int64_t inner,
                        ElementType type);

}  // namespace zeropoint::reference
