#include "compile/read_layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compile/layer_weights.h"
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
        fmt::format("its operand '{}' is not a quantized constant", graph.value(layer.inputs[input]).name));
  }
  ZP_ASSIGN_OR_RETURN(QuantNode quantization, read_quant_node(graph, *dequantize));
  return QuantizedConstant{graph.constant(*dequantize, 0), std::move(quantization)};
}

/// One element per output channel, or one for all; other shapes are no bias of channels.
Status check_bias(const Tensor& bias, std::size_t channels) {
  auto count = static_cast<std::int64_t>(channels);
  if (bias.size() == 1 || (bias.size() == count && bias.rank() >= 1 && bias.dim(-1) == count)) {
    return {};
  }
  return Status::unsupported(fmt::format("its bias {} has neither one element nor one per output channel",
                                         zeropoint::to_string(bias.shape())));
}

/// A bias in int32 at the accumulator's scale, as it stands; none where it is not that.
std::vector<std::int64_t> integers_at_scale(const QuantizedConstant& bias, const std::vector<float>& scales,
                                            std::size_t channels) {
  const std::vector<QuantParams>& params = bias.quantization.params.params;
  bool stands = bias.values->type() == ElementType::kInt32 &&
                (params.size() == 1 || params.size() == channels) &&
                bias.values->size() == static_cast<std::int64_t>(channels);
  for (std::size_t c = 0; stands && c < channels; ++c) {
    const QuantParams& p = params[params.size() == 1 ? 0 : c];
    stands = p.zero_point == 0 && p.scale == scales[scales.size() == 1 ? 0 : c];
  }
  if (!stands) {
    return {};
  }
  std::span<const std::int32_t> values = bias.values->data<std::int32_t>();
  return {values.begin(), values.end()};
}

/// The reals of a bias: float32, or integers at whatever scale.
Result<Tensor> real_bias(const Graph& graph, const Node& node, const std::vector<std::int32_t>& producers) {
  const Tensor* constant = graph.constant(node, 2);
  if (constant == nullptr) {
    ZP_ASSIGN_OR_RETURN(QuantizedConstant bias, constant_behind(graph, node, 2, producers));
    return dequantize(*bias.values, bias.quantization.params);
  }
  return constant->type() == ElementType::kFloat32
             ? Result<Tensor>(*constant)
             : Status::unsupported(fmt::format("its bias is {}", zeropoint::name_of(constant->type())));
}

/// The quantized bias per channel: zeros where there is none.
Result<std::vector<std::int64_t>> read_bias(const Graph& graph, const Node& node,
                                            const std::vector<std::int32_t>& producers,
                                            const LayerConstants& constants) {
  auto channels = static_cast<std::size_t>(constants.weights.dim(0));
  if (!node.has_input(2)) {
    return std::vector<std::int64_t>(channels, 0);
  }
  float beta = node.op == Op::kGemm ? float_attribute(node, "beta") : 1;
  if (graph.constant(node, 2) == nullptr && beta == 1) {
    ZP_ASSIGN_OR_RETURN(QuantizedConstant bias, constant_behind(graph, node, 2, producers));
    ZP_RETURN_IF_ERROR(check_bias(*bias.values, channels));
    std::vector<std::int64_t> integers = integers_at_scale(bias, constants.accumulator_scales, channels);
    if (!integers.empty()) {
      return integers;
    }
  }
  ZP_ASSIGN_OR_RETURN(Tensor reals, real_bias(graph, node, producers));
  ZP_RETURN_IF_ERROR(check_bias(reals, channels));
  std::vector<float> bias(channels, reals.data<float>()[0]);
  if (reals.size() > 1) {
    std::copy(reals.data<float>().begin(), reals.data<float>().end(), bias.begin());
  }
  std::transform(bias.begin(), bias.end(), bias.begin(), [&](float b) { return beta * b; });
  ZP_ASSIGN_OR_RETURN(QuantizedBias rounded,
                      quantize_bias(bias, constants.input_scale, constants.weight_scales));
  return std::vector<std::int64_t>(rounded.values.begin(), rounded.values.end());
}

void fold(LayerConstants& constants, std::int64_t input_zero_point) {
  visit_integer(constants.weights.type(), [&](auto element) {
    auto weights = constants.weights.data<decltype(element)>();
    std::size_t depth = weights.size() / constants.folded_bias.size();
    for (std::size_t m = 0; m < constants.folded_bias.size(); ++m) {
      std::int64_t sum = 0;
      for (auto step : weights.subspan(m * depth, depth)) {
        sum += static_cast<std::int64_t>(step);
      }
      constants.folded_bias[m] = fold_zero_point(constants.folded_bias[m], input_zero_point, sum);
    }
  });
}

}  // namespace

Result<LayerConstants> read_layer(const Graph& graph, const Node& node,
                                  const std::vector<std::int32_t>& producers, QuantParams input) {
  ZP_ASSIGN_OR_RETURN(QuantizedConstant quantized, constant_behind(graph, node, 1, producers));
  ZP_ASSIGN_OR_RETURN(LayerWeights weights,
                      layer_weights(node, *quantized.values, quantized.quantization.params));
  float alpha = node.op == Op::kGemm ? std::abs(float_attribute(node, "alpha")) : 1;
  LayerConstants constants{std::move(weights.steps), alpha * input.scale, std::move(weights.scales), {}, {}};
  for (float scale : constants.weight_scales) {
    constants.accumulator_scales.push_back(constants.input_scale * scale);
    if (!std::isnormal(constants.accumulator_scales.back())) {
      return Status::unsupported(fmt::format("input scale {} times weight scale {} is no normal number",
                                             constants.input_scale, scale));
    }
  }
  ZP_ASSIGN_OR_RETURN(constants.folded_bias, read_bias(graph, node, producers, constants));
  fold(constants, input.zero_point);
  return constants;
}

Result<Requantization> requantization_of(const LayerConstants& constants, const Quantization& output,
                                         RequantizeMode mode) {
  float s_in = constants.input_scale;
  std::vector<float> floats;
  std::vector<FixedPointMultiplier> fixed;
  for (std::size_t m = 0; m < constants.folded_bias.size(); ++m) {
    float s_w = constants.weight_scales[constants.weight_scales.size() == 1 ? 0 : m];
    if (mode == RequantizeMode::kFloat) {
      ZP_ASSIGN_OR_RETURN(float multiplier, float_multiplier(s_in, s_w, output.params.scale));
      floats.push_back(multiplier);
    } else {
      ZP_ASSIGN_OR_RETURN(FixedPointMultiplier multiplier,
                          fixed_point_multiplier(s_in, s_w, output.params.scale));
      fixed.push_back(multiplier);
    }
  }
  Requantization result{{}, output.params.zero_point, output.range};
  if (mode == RequantizeMode::kFloat) {
    result.multipliers = std::move(floats);
  } else {
    result.multipliers = std::move(fixed);
  }
  return result;
}

Result<Window> window_of(const Graph& graph, const Node& node, const std::vector<std::int64_t>& kernel) {
  const std::optional<Dims>& dims = graph.value(node.inputs[0]).dims;
  if (!dims || dims->size() != kernel.size() + 2) {
    return Status::unsupported("the rank of its input is not known");
  }
  std::string auto_pad = string_attribute(node, "auto_pad");
  bool by_extent = auto_pad.starts_with("SAME") || !ints_attribute(node, "output_shape").empty();
  if (by_extent && !has_known_extents({dims->begin() + 2, dims->end()})) {
    return Status::unsupported(fmt::format("its padding depends on the extents of {}", to_string(*dims)));
  }
  std::vector<std::int64_t> ones(kernel.size(), 1);
  if (node.op != Op::kConvTranspose) {
    ZP_ASSIGN_OR_RETURN(WindowGeometry geometry, window_geometry(node, *dims, kernel));
    return Window{geometry.strides, geometry.dilations, ones, geometry.pads_begin, geometry.pads_end};
  }
  ZP_ASSIGN_OR_RETURN(WindowGeometry backwards,
                      transposed_window_geometry(node.attributes, shape_of(*dims, -1), kernel));
  std::vector<std::int64_t> added = ints_attribute(node, "output_padding");
  added.resize(kernel.size(), 0);
  Window window{ones, backwards.dilations, backwards.strides, {}, {}};
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    // Each result sees the inputs that reach it: the kernel, mirrored, over an input that is padded to its
    // reach.
    std::int64_t reach = backwards.dilations[i] * (kernel[i] - 1);
    window.pads_begin.push_back(reach - backwards.pads_begin[i]);
    window.pads_end.push_back(reach - backwards.pads_end[i] + added[i]);
  }
  return window;
}

}  // namespace zeropoint::toolchain
