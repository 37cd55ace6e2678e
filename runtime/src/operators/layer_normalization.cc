// ONNX LayerNormalization and RMSNormalization: over all axes from `axis` on.

#include <algorithm>
#include <cmath>

#include "operators/axes.h"
#include "operators/broadcast.h"
#include "operators/moments.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

template <typename T>
void copy_row(std::span<const std::byte* const> inputs, std::byte* output, std::int64_t count) {
  std::copy_n(reinterpret_cast<const T*>(inputs[0]), count, reinterpret_cast<T*>(output));
}

/// Scale or bias in the normalized shape; it may be broadcast to that.
Result<Tensor> spread(const OperatorCall& call, std::size_t i, const Shape& normalized) {
  const Tensor& parameter = call.input(i);
  bool fits = parameter.type() == call.input(0).type() && parameter.shape().size() <= normalized.size();
  for (std::size_t k = 0; fits && k < parameter.shape().size(); ++k) {
    std::int64_t extent = parameter.shape()[k];
    fits = extent == 1 || extent == normalized[normalized.size() - parameter.shape().size() + k];
  }
  if (!fits) {
    return Status::invalid_argument("input ", i, " of ", name_of(parameter.type()), parameter.shape(),
                                    " does not fit the axes ", normalized, " to be normalized");
  }
  Tensor result(parameter.type(), normalized);
  const Tensor* inputs[] = {&parameter};
  broadcast_rows(inputs, result,
                 parameter.type() == ElementType::kFloat32 ? copy_row<float> : copy_row<double>);
  return result;
}

}  // namespace

Result<std::vector<Tensor>> layer_normalization(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_in(call.int_attribute("axis"), x.shape()));
  if (call.output_count() > 1 && call.int_attribute("stash_type") != 1) {
    return Status::unsupported("its mean can be given in float32 only (stash_type 1)");
  }
  Shape normalized(x.shape().begin() + static_cast<std::ptrdiff_t>(axis), x.shape().end());
  Shape statistics = x.shape();
  std::fill(statistics.begin() + static_cast<std::ptrdiff_t>(axis), statistics.end(), 1);
  bool centers = call.op() == Op::kLayerNormalization;
  auto epsilon = static_cast<double>(call.float_attribute("epsilon"));
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    ZP_ASSIGN_OR_RETURN(Tensor scale, spread(call, 1, normalized));
    Tensor bias(x.type(), normalized);
    if (call.has(2)) {
      ZP_ASSIGN_OR_RETURN(bias, spread(call, 2, normalized));
    }
    Tensor y(x.type(), x.shape());
    Tensor mean(ElementType::kFloat32, statistics);
    Tensor inverse(ElementType::kFloat32, statistics);
    const T* scales = scale.data<T>().data();
    const T* biases = bias.data<T>().data();
    std::int64_t count = scale.size();
    for (std::int64_t row = 0; row < (count == 0 ? 0 : mean.size()); ++row) {
      const T* in = x.data<T>().data() + row * count;
      T* out = y.data<T>().data() + row * count;
      Moments moments;
      if (centers) {
        moments = Moments::of(in, count);
      } else {
        moments.variance = sum_of(count, [&](std::int64_t i) { return static_cast<double>(in[i]) * in[i]; }) /
                           static_cast<double>(count);
      }
      double factor = 1 / std::sqrt(moments.variance + epsilon);
      mean.data<float>()[static_cast<std::size_t>(row)] = static_cast<float>(moments.mean);
      inverse.data<float>()[static_cast<std::size_t>(row)] = static_cast<float>(factor);
      auto center = static_cast<T>(moments.mean);
      auto slope = static_cast<T>(factor);
      for (std::int64_t i = 0; i < count; ++i) {
        out[i] = (in[i] - center) * slope * scales[i] + biases[i];
      }
    }
    std::vector<Tensor> outputs = one(std::move(y));
    outputs.push_back(std::move(mean));
    outputs.push_back(std::move(inverse));
    return outputs;
  });
}

}  // namespace zeropoint::operators
