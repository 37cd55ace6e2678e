#include "operators/integer_operand.h"

#include "operators/axes.h"
#include "operators/wide.h"
#include "zeropoint/requantize.h"

namespace zeropoint::operators {

Result<std::vector<std::int32_t>> centred(const OperatorCall& call, std::size_t q, std::size_t zero_point,
                                          std::int64_t axis) {
  const Tensor& tensor = call.input(q);
  if (!is_integer(tensor.type()) || size_of(tensor.type()) > 2) {
    return Status::unsupported("input ", q, " is ", name_of(tensor.type()),
                               "; integers of up to 16 bits are multiplied here");
  }
  std::vector<std::int64_t> wide(static_cast<std::size_t>(tensor.size()));
  load_wide(tensor, 0, tensor.size(), wide.data());
  std::vector<std::int32_t> values(wide.begin(), wide.end());
  if (!call.has(zero_point)) {
    return values;
  }
  const Tensor& zero_points = call.input(zero_point);
  AlongAxis along{1, 1, tensor.size()};
  if (zero_points.size() != 1) {
    ZP_ASSIGN_OR_RETURN(along, AlongAxis::of(tensor.shape(), axis));
  }
  if (zero_points.type() != tensor.type() || zero_points.size() != along.extent) {
    return Status::invalid_argument("zero points ", name_of(zero_points.type()), zero_points.shape(),
                                    " do not fit input ", q, ", ", name_of(tensor.type()), tensor.shape());
  }
  std::vector<std::int64_t> zeros(static_cast<std::size_t>(zero_points.size()));
  load_wide(zero_points, 0, zero_points.size(), zeros.data());
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto channel = static_cast<std::int64_t>(i) / along.inner % along.extent;
    values[i] -= static_cast<std::int32_t>(zeros[static_cast<std::size_t>(channel)]);
  }
  return values;
}

Result<std::vector<float>> scales_of(const OperatorCall& call, std::size_t i, std::int64_t channels) {
  const Tensor& scale = call.input(i);
  if (scale.type() != ElementType::kFloat32 || (scale.size() != 1 && scale.size() != channels)) {
    return Status::invalid_argument("its scale, input ", i, ", is ", name_of(scale.type()), scale.shape(),
                                    "; one or ", channels, " float32 are needed");
  }
  std::span<const float> scales = scale.data<float>();
  if (scale.size() == 1) {
    return std::vector<float>(static_cast<std::size_t>(channels), scales[0]);
  }
  return std::vector<float>(scales.begin(), scales.end());
}

Result<QuantizedResult> QuantizedResult::of(const OperatorCall& call, std::size_t scale,
                                            std::size_t zero_point, ElementType otherwise) {
  ZP_ASSIGN_OR_RETURN(std::vector<float> scales, scales_of(call, scale, 1));
  QuantizedResult result{{scales[0], 0}, otherwise};
  if (call.has(zero_point)) {
    const Tensor& zero = call.input(zero_point);
    if (!is_integer(zero.type()) || size_of(zero.type()) > 4 || zero.size() != 1) {
      return Status::invalid_argument("its zero point, input ", zero_point, ", is ", name_of(zero.type()),
                                      zero.shape(), "; one integer of up to 32 bits is needed");
    }
    result.type = zero.type();
    load_wide(zero, 0, 1, &result.params.zero_point);
  }
  return result;
}

Result<Requantizer> Requantizer::of(float a_scale, const std::vector<float>& b_scales,
                                    const QuantizedResult& result) {
  Requantizer requantizer;
  for (float b_scale : b_scales) {
    ZP_ASSIGN_OR_RETURN(float multiplier, float_multiplier(a_scale, b_scale, result.params.scale));
    requantizer.multipliers_.push_back(multiplier);
  }
  requantizer.zero_point_ = result.params.zero_point;
  requantizer.range_ = storage_range(result.type);
  return requantizer;
}

std::int64_t Requantizer::operator()(std::int64_t accumulator, std::int64_t channel) const {
  return requantize(static_cast<std::int32_t>(accumulator), multipliers_[static_cast<std::size_t>(channel)],
                    zero_point_, range_);
}

void store(Tensor& tensor, std::int64_t i, std::int64_t value) { store_wide(&value, 1, tensor, i); }

}  // namespace zeropoint::operators
