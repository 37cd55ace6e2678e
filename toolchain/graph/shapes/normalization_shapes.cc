// Operators that bring elements to mean 0 and variance 1.

#include <fmt/format.h>

#include "graph/shapes/shape_rules.h"

namespace zeropoint::toolchain {
namespace {

/// Inputs `first` and on hold one number per channel.
Status check_channels(const InferenceContext& context, const Dim& channels) {
  for (std::size_t i = 1; i < context.input_count(); ++i) {
    const std::optional<Dims>& dims = context.dims(i);
    if (dims && (dims->size() != 1 || !may_equal((*dims)[0], channels))) {
      return Status::invalid_argument(
          fmt::format("tensor '{}' is {}, which does not fit the channels of input {}", context.value(i).name,
                      to_string(*dims), to_string(*context.dims(0))));
    }
  }
  return {};
}

}  // namespace

Status batch_normalization_shape(InferenceContext& context) {
  for (std::size_t i = 0; i < context.output_count(); ++i) {
    context.set_type(i, context.type(0));
  }
  if (int_attribute(context.node(), "training_mode") != 0 || context.output_count() > 1) {
    return Status::unsupported(
        "it is in training_mode, with statistics of the batch; export the model for inference");
  }
  if (!context.dims(0)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  context.set_dims(0, x);
  return check_channels(context, x.size() > 1 ? x[1] : Dim(1));
}

Status channel_normalization_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  if (!context.dims(0)) {
    return {};
  }
  const Dims& x = *context.dims(0);
  context.set_dims(0, x);
  if (x.size() < 2) {
    return Status::invalid_argument(fmt::format("input {} has no channels", to_string(x)));
  }
  return check_channels(context, x[1]);
}

// Of LayerNormalization the outputs behind the first are the mean and the inverse deviation.
Status layer_normalization_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  context.set_type(1, ElementType::kFloat32);
  context.set_type(2, ElementType::kFloat32);
  if (!context.dims(0)) {
    return {};
  }
  Dims dims = *context.dims(0);
  context.set_dims(0, dims);
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_of(int_attribute(context.node(), "axis"), dims));
  Dims normalized(dims.begin() + static_cast<std::ptrdiff_t>(axis), dims.end());
  for (std::size_t i = 1; i < context.input_count(); ++i) {
    if (context.has(i) && context.dims(i)) {
      ZP_ASSIGN_OR_RETURN(Dims together, broadcast(normalized, *context.dims(i)));
      if (together.size() != normalized.size()) {
        return Status::invalid_argument(fmt::format("tensor '{}' is {}, which does not fit the axes {}",
                                                    context.value(i).name, to_string(*context.dims(i)),
                                                    to_string(normalized)));
      }
    }
  }
  for (std::size_t i = axis; i < dims.size(); ++i) {
    dims[i] = Dim(1);
  }
  context.set_dims(1, dims);
  context.set_dims(2, std::move(dims));
  return {};
}

}  // namespace zeropoint::toolchain
