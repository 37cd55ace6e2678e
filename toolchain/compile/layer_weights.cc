#include "compile/layer_weights.h"

#include <fmt/format.h>

#include <algorithm>

namespace zeropoint::toolchain {
namespace {

/// The axis of the weights along which the output channels lie; of one group for ConvTranspose.
std::int64_t channel_axis(const Node& node) {
  switch (node.op) {
    case Op::kConv:
      return 0;
    case Op::kGemm:
      return int_attribute(node, "transB") == 0 ? 1 : 0;
    default:
      return 1;
  }
}

/// q_w - Z_w of each element.
Result<std::vector<std::int64_t>> steps_of(const Tensor& integers, const TensorParams& params) {
  ZP_ASSIGN_OR_RETURN(ParamsLayout layout, ParamsLayout::of(integers.shape(), params.granularity));
  std::vector<std::int64_t> steps;
  visit_integer(integers.type(), [&](auto element) {
    auto values = integers.data<decltype(element)>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::int64_t index = layout.count() == 1 ? 0 : layout.index_of(static_cast<std::int64_t>(i));
      steps.push_back(static_cast<std::int64_t>(values[i]) -
                      params.params[static_cast<std::size_t>(index)].zero_point);
    }
  });
  return steps;
}

/// [K, M] -> [M, K]
std::vector<std::int64_t> transposed(const std::vector<std::int64_t>& steps, std::size_t rows) {
  std::vector<std::int64_t> result(steps.size());
  std::size_t columns = steps.size() / rows;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    result[i % columns * rows + i / columns] = steps[i];
  }
  return result;
}

/// [C, M / group, kernel...] -> [M, C / group, kernel... mirrored]
std::vector<std::int64_t> turned(const std::vector<std::int64_t>& steps, const Shape& shape,
                                 std::int64_t group) {
  std::int64_t out = shape[1];
  std::int64_t in = shape[0] / group;
  std::int64_t taps = static_cast<std::int64_t>(steps.size()) / (shape[0] * out);
  std::vector<std::int64_t> result(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto at = static_cast<std::int64_t>(i);
    std::int64_t tap = at % taps;
    std::int64_t m = at / taps % out;
    std::int64_t c = at / taps / out;
    std::int64_t to = (((c / in) * out + m) * in + c % in) * taps + (taps - 1 - tap);
    result[static_cast<std::size_t>(to)] = steps[i];
  }
  return result;
}

template <typename T>
Tensor stored_as(const std::vector<std::int64_t>& steps, const Shape& shape) {
  std::vector<T> narrow;
  std::transform(steps.begin(), steps.end(), std::back_inserter(narrow),
                 [](std::int64_t step) { return static_cast<T>(step); });
  return Tensor::of<T>(shape, narrow);
}

/// In the narrowest type that holds them.
Tensor stored(const std::vector<std::int64_t>& steps, const Shape& shape) {
  auto [least, most] = std::minmax_element(steps.begin(), steps.end());
  auto fits = [&, low = *least, high = *most](ElementType type) {
    return low >= storage_range(type).q_min && high <= storage_range(type).q_max;
  };
  if (fits(ElementType::kInt8)) {
    return stored_as<std::int8_t>(steps, shape);
  }
  return fits(ElementType::kInt16) ? stored_as<std::int16_t>(steps, shape)
                                   : stored_as<std::int32_t>(steps, shape);
}

}  // namespace

Result<LayerWeights> layer_weights(const Node& node, const Tensor& integers, const TensorParams& params) {
  if (integers.size() == 0 || size_of(integers.type()) > 2) {
    return Status::unsupported(fmt::format("its weights are {}{}", zeropoint::name_of(integers.type()),
                                           zeropoint::to_string(integers.shape())));
  }
  std::int64_t axis = params.granularity.axis + (params.granularity.axis < 0 ? integers.rank() : 0);
  if (params.params.size() > 1 &&
      (params.granularity.kind != Granularity::Kind::kPerChannel || axis != channel_axis(node))) {
    return Status::unsupported("its weights have neither one scale nor one per output channel");
  }
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> steps, steps_of(integers, params));
  Shape shape = integers.shape();
  std::int64_t repeats = 1;  // of the scales
  if (node.op == Op::kConvTranspose) {
    std::int64_t group = int_attribute(node, "group");
    steps = turned(steps, shape, group);
    shape[0] = shape[1] * group;
    shape[1] = integers.dim(0) / group;
    repeats = params.params.size() > 1 ? group : 1;
  } else if (channel_axis(node) == 1) {
    steps = transposed(steps, static_cast<std::size_t>(shape[0]));
    std::swap(shape[0], shape[1]);
  }
  LayerWeights weights{stored(steps, shape), {}};
  for (std::int64_t i = 0; i < repeats; ++i) {
    for (const QuantParams& p : params.params) {
      weights.scales.push_back(p.scale);
    }
  }
  return weights;
}

}  // namespace zeropoint::toolchain
