#include "quantize/improve/bias_correction.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quantize/improve/layer_walk.h"
#include "quantize/improve/quantized_layers.h"
#include "quantize/improve/weight_rows.h"
#include "quantize/node_role.h"
#include "zeropoint/requantize.h"

namespace zeropoint::toolchain {
namespace {

/// The decision for a bias that is added to a layer: at input scale times weight scale, as make_plan() would.
Decision bias_decision(const std::string& name, const Decision& input, const Decision& weights) {
  Decision decision;
  decision.tensor = name;
  decision.role = TensorRole::kBias;
  decision.type = {32, true};
  decision.params.granularity =
      weights.params.params.size() == 1 ? Granularity::per_tensor() : Granularity::per_channel(0);
  for (const QuantParams& params : weights.params.params) {
    decision.params.params.push_back({input.params.params[0].scale * params.scale, 0});
  }
  decision.reason = "added to put right the mean of the result; at input scale times weight scale";
  return decision;
}

/// Gives each quantized Conv and Gemm without a bias one of zeros.
void add_missing_biases(Graph& graph, QuantPlan& plan) {
  for (Node& node : graph.nodes) {
    if (role_of(graph, node).kind != NodeRole::Kind::kLayer || node.op == Op::kMatMul || node.has_input(2)) {
      continue;
    }
    auto weights = std::find_if(plan.decisions.begin(), plan.decisions.end(), [&](const Decision& decision) {
      return decision.tensor == graph.value(node.inputs[1]).name;
    });
    if (weights == plan.decisions.end()) {
      continue;
    }
    std::string name = graph.value(node.outputs[0]).name + "_bias";
    while (graph.find(name) != kNoValue) {
      name += '_';
    }
    const Decision* input = input_decision(graph, plan, node);
    if (input != nullptr && plan.find(name) == nullptr) {
      plan.decisions.insert(weights + 1, bias_decision(name, *input, *weights));
    }
    node.inputs.resize(3, kNoValue);
    node.inputs[2] =
        graph.add_constant(name, Tensor(ElementType::kFloat32, {WeightRows::of(graph, node).rows()}));
  }
}

class Corrector {
 public:
  Corrector(Graph& graph, QuantPlan& plan) : graph_(graph), plan_(plan) {}

  Status prepare() {
    add_missing_biases(graph_, plan_);
    ZP_ASSIGN_OR_RETURN(quantized_, apply_plan(graph_, plan_));
    layers_ = quantized_layers(graph_, quantized_, plan_);
    return {};
  }

  [[nodiscard]] const std::vector<QuantizedLayer>& layers() const { return layers_; }
  [[nodiscard]] const Graph& quantized() const { return quantized_; }
  [[nodiscard]] const Node& node(const QuantizedLayer& layer) const { return graph_.nodes[layer.node]; }

  /// The integers of the bias less the reals they stand for, per channel: part of what was measured.
  [[nodiscard]] Result<std::vector<double>> rounding_of_bias(const QuantizedLayer& layer) const {
    const Tensor& bias = *graph_.constant(graph_.nodes[layer.node], 2);
    std::vector<double> rounding(static_cast<std::size_t>(bias.size()));
    if (layer.bias != nullptr) {
      ZP_ASSIGN_OR_RETURN(Tensor integers, quantize(bias, layer.bias->params, layer.bias->type));
      ZP_ASSIGN_OR_RETURN(Tensor reals, dequantize(integers, layer.bias->params));
      for (std::size_t c = 0; c < rounding.size(); ++c) {
        rounding[c] = static_cast<double>(reals.data<float>()[c]) - bias.data<float>()[c];
      }
    }
    return rounding;
  }

  /// Adds `shift`, one per output channel, to the bias of the layer in both graphs.
  Result<LayerNote> correct(const QuantizedLayer& layer, const std::vector<double>& shift) {
    const Node& node = graph_.nodes[layer.node];
    ZP_ASSIGN_OR_RETURN(bool fits, shift_bias(graph_, quantized_, layer, shift));
    if (!fits) {
      return LayerNote{describe(node), false, "the bias would not fit the int32 accumulator"};
    }
    double largest = 0;
    for (double s : shift) {
      largest = std::max(largest, std::fabs(s));
    }
    return LayerNote{describe(node), true,
                     fmt::format("{} means of its result put right by up to {:.4g}", shift.size(), largest)};
  }

 private:
  Graph& graph_;
  QuantPlan& plan_;
  Graph quantized_;
  std::vector<QuantizedLayer> layers_;
};

LayerNote without_bias(const Node& node) { return {describe(node), false, "MatMul has no bias to correct"}; }

}  // namespace

Result<std::vector<LayerNote>> correct_bias(Graph& graph, QuantPlan& plan, const SampleChunks& samples,
                                            Team& team) {
  Corrector corrector(graph, plan);
  ZP_RETURN_IF_ERROR(corrector.prepare());
  auto axis_of = [](const Node& node) -> std::int64_t {
    return node.op == Op::kConv || node.op == Op::kConvTranspose ? 1 : -1;
  };
  std::vector<ChannelAxis> outputs;
  for (const QuantizedLayer& layer : corrector.layers()) {
    const Node& node = corrector.node(layer);
    if (node.has_input(2)) {
      outputs.push_back({node.outputs[0], axis_of(node)});
    }
  }
  ZP_ASSIGN_OR_RETURN(ChannelMeans wanted, channel_means(graph, outputs, samples, team));
  LayerWalk walk(corrector.quantized(), samples, team);
  std::vector<LayerNote> notes;
  for (const QuantizedLayer& layer : corrector.layers()) {
    const Node& node = corrector.node(layer);
    if (!node.has_input(2)) {
      notes.push_back(without_bias(node));
      continue;
    }
    const Node& copy = corrector.quantized().nodes[layer.quantized];
    ZP_RETURN_IF_ERROR(walk.advance(corrector.quantized(), copy.inputs[0]));
    std::vector<ChannelSums> chunks(samples.count());
    ZP_RETURN_IF_ERROR(walk.observe(corrector.quantized(), copy.outputs[0],
                                    [&](std::size_t chunk, ValueId /*value*/, const Tensor& tensor) {
                                      chunks[chunk].add(tensor, axis_of(node));
                                      return Status();
                                    }));
    ChannelSums total;
    for (const ChannelSums& chunk : chunks) {
      total.add(chunk);
    }
    std::vector<double> shift = wanted.at(graph.value(node.outputs[0]).name);
    std::vector<double> quantized = total.means();
    ZP_ASSIGN_OR_RETURN(std::vector<double> rounding, corrector.rounding_of_bias(layer));
    for (std::size_t c = 0; c < shift.size(); ++c) {
      shift[c] += rounding[c] - quantized[c];
    }
    ZP_ASSIGN_OR_RETURN(LayerNote note, corrector.correct(layer, shift));
    notes.push_back(std::move(note));
  }
  return notes;
}

Result<std::vector<LayerNote>> correct_bias_by_means(Graph& graph, QuantPlan& plan,
                                                     const ChannelMeans& means) {
  Corrector corrector(graph, plan);
  ZP_RETURN_IF_ERROR(corrector.prepare());
  std::vector<LayerNote> notes;
  for (const QuantizedLayer& layer : corrector.layers()) {
    const Node& node = corrector.node(layer);
    auto mean = means.find(graph.value(node.inputs[0]).name);
    if (!node.has_input(2) || mean == means.end()) {
      notes.push_back(node.has_input(2) ? LayerNote{describe(node), false, "no means of its input are known"}
                                        : without_bias(node));
      continue;
    }
    const Tensor& weights = *graph.constant(node, 1);
    ZP_ASSIGN_OR_RETURN(Tensor integers, quantize(weights, layer.weights->params, layer.weights->type));
    ZP_ASSIGN_OR_RETURN(Tensor rounded, dequantize(integers, layer.weights->params));
    WeightRows rows = WeightRows::of(graph, node);
    std::vector<double> shift(static_cast<std::size_t>(rows.rows()));
    for (std::int64_t row = 0; row < rows.rows(); ++row) {
      for (std::int64_t column = 0; column < rows.columns(); ++column) {
        std::size_t at = rows.element(row, column);
        double error = static_cast<double>(rounded.data<float>()[at]) - weights.data<float>()[at];
        shift[static_cast<std::size_t>(row)] -=
            error * mean->second[static_cast<std::size_t>(rows.input_channel(row, column))];
      }
    }
    ZP_ASSIGN_OR_RETURN(LayerNote note, corrector.correct(layer, shift));
    notes.push_back(std::move(note));
  }
  return notes;
}

}  // namespace zeropoint::toolchain
