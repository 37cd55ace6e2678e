#include "compile/layer_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

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

/// q_w - Z_w of each element. Weights of up to 16 bits, so that these are of 17.
std::vector<std::int32_t> steps_of(const Tensor& integers, const TensorParams& params, std::int64_t axis) {
  std::vector<std::int32_t> steps(static_cast<std::size_t>(integers.size()));
  // Neighbours of one channel.
  std::size_t run = steps.size();
  if (params.params.size() > 1) {
    run = 1;
    for (std::int64_t i = axis + 1; i < integers.rank(); ++i) {
      run *= static_cast<std::size_t>(integers.dim(i));
    }
  }
  visit_integer(integers.type(), [&](auto element) {
    auto values = integers.data<decltype(element)>();
    std::size_t channel = 0;
    for (std::size_t begin = 0; begin < values.size(); begin += run) {
      auto zero = static_cast<std::int32_t>(params.params[channel].zero_point);
      for (std::size_t i = begin; i < begin + run; ++i) {
        steps[i] = static_cast<std::int32_t>(values[i]) - zero;
      }
      channel = channel + 1 == params.params.size() ? 0 : channel + 1;
    }
  });
  return steps;
}

/// [K, M] -> [M, K]
std::vector<std::int32_t> transposed(const std::vector<std::int32_t>& steps, std::size_t rows) {
  std::vector<std::int32_t> result(steps.size());
  std::size_t columns = steps.size() / rows;
  for (std::size_t column = 0; column < columns; ++column) {
    for (std::size_t row = 0; row < rows; ++row) {
      result[column * rows + row] = steps[row * columns + column];
    }
  }
  return result;
}

/// [C, M / group, kernel...] -> [M, C / group, kernel... mirrored]
std::vector<std::int32_t> turned(const std::vector<std::int32_t>& steps, const Shape& shape,
                                 std::int64_t group) {
  std::int64_t out = shape[1];
  std::int64_t in = shape[0] / group;
  std::int64_t taps = static_cast<std::int64_t>(steps.size()) / (shape[0] * out);
  std::vector<std::int32_t> result(steps.size());
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
Tensor stored_as(const std::vector<std::int32_t>& steps, const Shape& shape) {
  Tensor narrow(kElementTypeOf<T>, shape);
  std::transform(steps.begin(), steps.end(), narrow.data<T>().begin(),
                 [](std::int32_t step) { return static_cast<T>(step); });
  return narrow;
}

/// In the narrowest type that holds them.
Tensor stored(const std::vector<std::int32_t>& steps, const Shape& shape) {
  std::int32_t least = steps[0];
  std::int32_t most = steps[0];
  for (std::int32_t step : steps) {
    least = std::min(least, step);
    most = std::max(most, step);
  }
  auto fits = [&](ElementType type) {
    return least >= storage_range(type).q_min && most <= storage_range(type).q_max;
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
  std::vector<std::int32_t> steps = steps_of(integers, params, axis);
  if (node.op == Op::kGemm && float_attribute(node, "alpha") < 0) {
    std::transform(steps.begin(), steps.end(), steps.begin(), std::negate<>());
  }
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
