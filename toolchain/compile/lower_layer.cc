#include "compile/lower_layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "graph/geometry.h"
#include "graph/quant_nodes.h"

namespace zeropoint::toolchain {
namespace {

/// A constant behind a DequantizeLinear.
struct QuantizedConstant {
  const Tensor* values;
  QuantNode quantization;
};

Result<QuantizedConstant> constant_behind(const Graph& graph, const Node& layer, std::size_t input,
                                          const std::vector<std::int32_t>& producers) {
  std::int32_t made_by = producers[static_cast<std::size_t>(layer.inputs[input])];
  const Node* dequantize = made_by < 0 ? nullptr : &graph.nodes[static_cast<std::size_t>(made_by)];
  if (dequantize == nullptr || dequantize->op != Op::kDequantizeLinear ||
      graph.constant(*dequantize, 0) == nullptr) {
    return Status::unsupported(
        fmt::format("{} would stay in float: its operand '{}' is not a quantized constant", describe(layer),
                    graph.value(layer.inputs[input]).name));
  }
  ZP_ASSIGN_OR_RETURN(QuantNode quantization, read_quant_node(graph, *dequantize));
  return QuantizedConstant{graph.constant(*dequantize, 0), std::move(quantization)};
}

/// [K, M] -> [M, K]
Tensor transposed(const Tensor& matrix) {
  Tensor result(matrix.type(), {matrix.dim(1), matrix.dim(0)});
  std::span<const std::int8_t> in = matrix.data<std::int8_t>();
  std::span<std::int8_t> out = result.data<std::int8_t>();
  auto rows = static_cast<std::size_t>(matrix.dim(0));
  auto columns = static_cast<std::size_t>(matrix.dim(1));
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      out[j * rows + i] = in[i * columns + j];
    }
  }
  return result;
}

Status check_weights(const Node& layer, const QuantizedConstant& weights, std::int64_t channel_axis) {
  std::string where = describe(layer);
  if (weights.values->type() != ElementType::kInt8) {
    return Status::unsupported(fmt::format("{}: weights of type {} have no integer layer yet; int8 is needed",
                                           where, zeropoint::name_of(weights.values->type())));
  }
  for (const QuantParams& params : weights.quantization.params.params) {
    if (params.zero_point != 0) {
      return Status::unsupported(where +
                                 ": weights with a zero point other than 0 have no integer layer yet");
    }
  }
  const Granularity& granularity = weights.quantization.params.granularity;
  std::int64_t axis = granularity.axis + (granularity.axis < 0 ? weights.values->rank() : 0);
  if (granularity.kind == Granularity::Kind::kPerGroup ||
      (granularity.kind == Granularity::Kind::kPerChannel && axis != channel_axis)) {
    return Status::unsupported(where + ": weights must have one scale per tensor or per output channel");
  }
  return {};
}

/// The quantized bias per channel: zeros where there is none. It must stand at scale S_in * S_w.
Result<std::vector<std::int32_t>> read_bias(const Graph& graph, const Node& node,
                                            const std::vector<std::int32_t>& producers,
                                            const std::vector<float>& scales, std::size_t channels) {
  if (node.inputs.size() < 3 || node.inputs[2] == kNoValue) {
    return std::vector<std::int32_t>(channels, 0);
  }
  ZP_ASSIGN_OR_RETURN(QuantizedConstant bias, constant_behind(graph, node, 2, producers));
  if (bias.values->type() != ElementType::kInt32 ||
      bias.values->shape() != Shape{static_cast<std::int64_t>(channels)}) {
    return Status::unsupported(describe(node) + ": the bias must be int32, one per output channel");
  }
  if (bias.quantization.params.granularity.kind == Granularity::Kind::kPerGroup) {
    return Status::unsupported(describe(node) + ": the bias must have one scale per tensor or per channel");
  }
  const std::vector<QuantParams>& params = bias.quantization.params.params;
  for (std::size_t c = 0; c < channels; ++c) {
    const QuantParams& p = params[params.size() == 1 ? 0 : c];
    if (p.zero_point != 0 || p.scale != scales[scales.size() == 1 ? 0 : c]) {
      return Status::unsupported(fmt::format(
          "{}: the bias of channel {} is not at input scale times weight scale", describe(node), c));
    }
  }
  std::span<const std::int32_t> values = bias.values->data<std::int32_t>();
  return std::vector<std::int32_t>(values.begin(), values.end());
}

Result<std::vector<std::int32_t>> fold(const Node& node, const Tensor& weights,
                                       std::vector<std::int32_t> bias, QuantParams input,
                                       QuantizedRange input_range) {
  std::size_t depth = static_cast<std::size_t>(weights.size()) / bias.size();
  // Padding puts the zero point among the inputs.
  input_range = {std::min(input_range.q_min, input.zero_point),
                 std::max(input_range.q_max, input.zero_point)};
  constexpr QuantizedRange kInt32{std::numeric_limits<std::int32_t>::min(),
                                  std::numeric_limits<std::int32_t>::max()};
  for (std::size_t m = 0; m < bias.size(); ++m) {
    std::span<const std::int8_t> row = weights.data<std::int8_t>().subspan(m * depth, depth);
    std::int64_t sum = std::accumulate(row.begin(), row.end(), std::int64_t{0});
    std::int64_t folded = fold_zero_point(bias[m], input.zero_point, sum);
    QuantizedRange bounds = accumulator_bounds(row, input_range, folded);
    if (bounds.q_min < kInt32.q_min || bounds.q_max > kInt32.q_max) {
      return Status::invalid_argument(fmt::format(
          "{}: the accumulator of channel {} can reach [{}, {}], beyond int32; use fewer bits for the input "
          "or the weights",
          describe(node), m, bounds.q_min, bounds.q_max));
    }
    bias[m] = static_cast<std::int32_t>(folded);
  }
  return bias;
}

}  // namespace

Result<LayerConstants> read_layer(const Graph& graph, const Node& node,
                                  const std::vector<std::int32_t>& producers, QuantParams input,
                                  QuantizedRange input_range) {
  if (node.op == Op::kGemm && (float_attribute(node, "alpha") != 1 || float_attribute(node, "beta") != 1 ||
                               int_attribute(node, "transA") != 0)) {
    return Status::unsupported(describe(node) + " would stay in float: alpha and beta must be 1, transA 0");
  }
  ZP_ASSIGN_OR_RETURN(QuantizedConstant weights, constant_behind(graph, node, 1, producers));
  bool transposes = node.op == Op::kGemm && int_attribute(node, "transB") == 0;
  ZP_RETURN_IF_ERROR(check_weights(node, weights, transposes ? 1 : 0));
  if (weights.values->size() == 0) {
    return Status::unsupported(fmt::format("{}: weights {} are empty", describe(node),
                                           zeropoint::to_string(weights.values->shape())));
  }
  LayerConstants constants;
  constants.weights = transposes ? transposed(*weights.values) : *weights.values;
  for (const QuantParams& params : weights.quantization.params.params) {
    constants.weight_scales.push_back(params.scale);
    constants.accumulator_scales.push_back(input.scale * params.scale);
  }
  ZP_ASSIGN_OR_RETURN(std::vector<std::int32_t> bias,
                      read_bias(graph, node, producers, constants.accumulator_scales,
                                static_cast<std::size_t>(constants.weights.dim(0))));
  ZP_ASSIGN_OR_RETURN(constants.folded_bias,
                      fold(node, constants.weights, std::move(bias), input, input_range));
  return constants;
}

Result<Requantization> requantization_of(const Node& node, const LayerConstants& constants, float s_in,
                                         QuantParams output, QuantizedRange clamp, RequantizeMode mode) {
  std::vector<float> floats;
  std::vector<FixedPointMultiplier> fixed;
  for (std::size_t m = 0; m < constants.folded_bias.size(); ++m) {
    float s_w = constants.weight_scales[constants.weight_scales.size() == 1 ? 0 : m];
    if (mode == RequantizeMode::kFloat) {
      Result<float> multiplier = float_multiplier(s_in, s_w, output.scale);
      ZP_RETURN_IF_ERROR(multiplier.status().at(describe(node)));
      floats.push_back(*multiplier);
    } else {
      Result<FixedPointMultiplier> multiplier = fixed_point_multiplier(s_in, s_w, output.scale);
      ZP_RETURN_IF_ERROR(multiplier.status().at(describe(node)));
      fixed.push_back(*multiplier);
    }
  }
  Requantization result{{}, output.zero_point, clamp};
  if (mode == RequantizeMode::kFloat) {
    result.multipliers = std::move(floats);
  } else {
    result.multipliers = std::move(fixed);
  }
  return result;
}

Result<Window2d> window_of(const Graph& graph, const Node& node, std::vector<std::int64_t> kernel) {
  const Dims& input = *graph.value(node.inputs[0]).dims;
  if (input.size() != 4) {
    return Status::unsupported(fmt::format("{} would stay in float: input {} is not [N, C, height, width]",
                                           describe(node), to_string(input)));
  }
  ZP_ASSIGN_OR_RETURN(WindowGeometry geometry, window_geometry(node, input, std::move(kernel)));
  Window2d window;
  for (std::size_t i = 0; i < 2; ++i) {
    window.kernel[i] = geometry.kernel[i];
    window.strides[i] = geometry.strides[i];
    window.dilations[i] = geometry.dilations[i];
    window.pads_begin[i] = geometry.pads_begin[i];
  }
  return window;
}

}  // namespace zeropoint::toolchain
