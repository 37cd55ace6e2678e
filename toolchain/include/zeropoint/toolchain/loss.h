#pragma once

#include <cstdint>
#include <span>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// A loss over a batch and its gradient with respect to the network's output.
struct Loss {
  double value = 0;
  Tensor gradient;  ///< float32, the shape of the output
};

/// The mean over the batch of -log softmax(logits)[label], and its gradient (softmax - one_hot) / N. `logits`
/// is float32 [N, classes], or any shape whose first extent is N; `labels` has N class numbers. Safe for
/// logits of any finite size, since the largest is subtracted before exp. Logits that are NaN, or all of them
/// -inf, give a NaN loss. kInvalidArgument for another type, no samples, or a label outside of
/// [0, classes), naming the sample.
Result<Loss> softmax_cross_entropy(const Tensor& logits, std::span<const std::int64_t> labels);

}  // namespace zeropoint::toolchain
