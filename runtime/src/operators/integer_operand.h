#pragma once

#include <cstdint>
#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/operator.h"

namespace zeropoint::operators {

/// q - zero_point of input `q`: its zero points are input `zero_point` (none: 0), of q's type, one for all or
/// one per index of `axis`. kInvalidArgument where they do not fit; kUnsupported for elements beyond 16 bits.
Result<std::vector<std::int32_t>> centred(const OperatorCall& call, std::size_t q, std::size_t zero_point,
                                          std::int64_t axis);

/// The float32 elements of input `i`, of which there must be one, or `channels`; returned as `channels` of
/// them.
Result<std::vector<float>> scales_of(const OperatorCall& call, std::size_t i, std::int64_t channels);

/// Where a result is quantized to, as inputs `scale` and `zero_point` say: one of each, the type that of the
/// zero point, or `otherwise` where it is missing.
struct QuantizedResult {
  QuantParams params;
  ElementType type;

  static Result<QuantizedResult> of(const OperatorCall& call, std::size_t scale, std::size_t zero_point,
                                    ElementType otherwise);
};

/// requantize() of int32 accumulators in order, each by the multiplier S_a * S_b[channel] / S of its channel.
class Requantizer {
 public:
  static Result<Requantizer> of(float a_scale, const std::vector<float>& b_scales,
                                const QuantizedResult& result);

  [[nodiscard]] std::int64_t operator()(std::int64_t accumulator, std::int64_t channel) const;

 private:
  std::vector<float> multipliers_;
  std::int64_t zero_point_ = 0;
  QuantizedRange range_;
};

/// Stores an integer that fits the tensor's type.
void store(Tensor& tensor, std::int64_t i, std::int64_t value);

}  // namespace zeropoint::operators
