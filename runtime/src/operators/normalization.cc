// ONNX BatchNormalization (as in inference), InstanceNormalization and GroupNormalization: over [N, C, D...],
// with a scale and a bias per channel.

#include <cmath>

#include "operators/axes.h"
#include "operators/moments.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// Inputs `first` and on are lists of one number per channel, of the input's type.
Status check_channels(const OperatorCall& call, std::size_t first) {
  const Tensor& x = call.input(0);
  if (x.rank() < 1 || (x.rank() == 1 && call.op() != Op::kBatchNormalization)) {
    return Status::invalid_argument("input ", x.shape(), " has no channels");
  }
  // A BatchNormalization of rank 1 has a single channel.
  Shape channels{x.rank() > 1 ? x.dim(1) : 1};
  for (std::size_t i = first; i < call.input_count(); ++i) {
    if (call.input(i).shape() != channels || call.input(i).type() != x.type()) {
      return Status::invalid_argument("input ", i, " of ", name_of(call.input(i).type()),
                                      call.input(i).shape(), " does not fit input ", x.shape());
    }
  }
  return {};
}

/// y = (x - mean) factor + bias
template <typename T>
void normalize(const T* x, std::int64_t count, double mean, double factor, T bias, T* y) {
  auto center = static_cast<T>(mean);
  auto slope = static_cast<T>(factor);
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] = (x[i] - center) * slope + bias;
  }
}

}  // namespace

Result<std::vector<Tensor>> batch_normalization(const OperatorCall& call) {
  if (call.int_attribute("training_mode") != 0 || call.output_count() > 1) {
    return Status::unsupported(
        "training_mode of BatchNormalization: statistics of the batch are not taken here; "
        "export the model for inference");
  }
  ZP_RETURN_IF_ERROR(check_channels(call, 1));
  const Tensor& x = call.input(0);
  auto epsilon = static_cast<double>(call.float_attribute("epsilon"));
  std::int64_t batch = x.rank() == 0 ? 1 : x.dim(0);
  std::int64_t channels = call.input(1).size();
  std::int64_t plane = x.rank() > 2 ? extent_between(x.shape(), 2, x.shape().size()) : 1;
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    Tensor y(x.type(), x.shape());
    const T* in = x.data<T>().data();
    T* out = y.data<T>().data();
    for (std::int64_t i = 0; i < (x.size() == 0 ? 0 : batch * channels); ++i) {
      auto c = static_cast<std::size_t>(i % channels);
      double factor = static_cast<double>(call.input(1).data<T>()[c]) /
                      std::sqrt(static_cast<double>(call.input(4).data<T>()[c]) + epsilon);
      normalize(in + i * plane, plane, static_cast<double>(call.input(3).data<T>()[c]), factor,
                call.input(2).data<T>()[c], out + i * plane);
    }
    return one(std::move(y));
  });
}

Result<std::vector<Tensor>> group_normalization(const OperatorCall& call) {
  ZP_RETURN_IF_ERROR(check_channels(call, 1));
  const Tensor& x = call.input(0);
  std::int64_t channels = x.dim(1);
  // InstanceNormalization is the case of one channel per group.
  std::int64_t groups = call.op() == Op::kGroupNormalization ? call.int_attribute("num_groups") : channels;
  if (x.size() > 0 && (groups < 1 || channels % groups != 0)) {
    return Status::invalid_argument(channels, " channels do not fall into ", groups, " groups");
  }
  auto epsilon = static_cast<double>(call.float_attribute("epsilon"));
  std::int64_t plane = extent_between(x.shape(), 2, x.shape().size());
  return visit_float(x.type(), [&](auto element) -> Result<std::vector<Tensor>> {
    using T = decltype(element);
    Tensor y(x.type(), x.shape());
    if (x.size() == 0) {
      return one(std::move(y));
    }
    const T* in = x.data<T>().data();
    T* out = y.data<T>().data();
    std::int64_t members = channels / groups;
    for (std::int64_t group = 0; group < x.dim(0) * groups; ++group) {
      Moments moments = Moments::of(in + group * members * plane, members * plane);
      double deviation = std::sqrt(moments.variance + epsilon);
      for (std::int64_t i = group * members; i < (group + 1) * members; ++i) {
        auto c = static_cast<std::size_t>(i % channels);
        normalize(in + i * plane, plane, moments.mean,
                  static_cast<double>(call.input(1).data<T>()[c]) / deviation, call.input(2).data<T>()[c],
                  out + i * plane);
      }
    }
    return one(std::move(y));
  });
}

}  // namespace zeropoint::operators
