#include "quantize/improve/registered.h"

#include "parallel/team.h"
#include "quantize/improve/adaround.h"
#include "quantize/improve/bias_absorption.h"
#include "quantize/improve/bias_correction.h"
#include "quantize/improve/channel_ranges.h"
#include "quantize/improve/equalization.h"
#include "quantize/improve/gptq.h"
#include "quantize/improve/smooth_quant.h"
#include "quantize/improve/weight_scales.h"

namespace zeropoint::toolchain {
namespace {

/// The axis of a layer's input and result along which channels lie.
std::int64_t channel_axis_of(const Node& layer) {
  return layer.op == Op::kConv || layer.op == Op::kConvTranspose ? 1 : -1;
}

/// The input of each layer, as channels.
std::vector<ChannelAxis> layer_inputs(const Graph& graph, const QuantPlan& plan) {
  std::vector<ChannelAxis> inputs;
  for (const Node& node : graph.nodes) {
    bool quantized = node.inputs.size() > 1 && node.inputs[1] != kNoValue &&
                     plan.find(graph.value(node.inputs[1]).name) != nullptr;
    if (quantized && graph.constant(node, 1) != nullptr) {
      inputs.push_back({node.inputs[0], channel_axis_of(node)});
    }
  }
  return inputs;
}

/// What `evidence` says of the channels of layer results.
Result<ChannelRanges> ranges_of_results(const Graph& graph, const std::vector<ValueId>& results,
                                        const Evidence& evidence) {
  std::vector<std::int32_t> made_by = producers(graph);
  std::vector<ChannelAxis> tensors;
  for (ValueId result : results) {
    const Node& node = graph.nodes[static_cast<std::size_t>(made_by[static_cast<std::size_t>(result)])];
    tensors.push_back({result, channel_axis_of(node)});
  }
  if (tensors.empty()) {
    return ChannelRanges();
  }
  Team team(threads_or_all(evidence.calibration.threads));
  ZP_ASSIGN_OR_RETURN(SampleChunks samples, load_chunks(graph, evidence.data));
  return channel_ranges(graph, tensors, samples, team);
}

Result<std::string> reconstructed(std::string_view name, Graph& graph, const QuantPlan& plan,
                                  const Evidence& evidence, ReconstructionOptions options,
                                  const Rounder& round) {
  Team team(threads_or_all(evidence.calibration.threads));
  ZP_ASSIGN_OR_RETURN(SampleChunks samples, load_chunks(graph, evidence.data));
  options.progress = evidence.calibration.progress;
  ZP_ASSIGN_OR_RETURN(std::vector<LayerNote> notes, reconstruct(graph, plan, samples, team, options, round));
  return summary(name, notes);
}

}  // namespace

Result<std::string> improve_by_equalization(Graph& graph, const Evidence& evidence) {
  ZP_ASSIGN_OR_RETURN(ChannelRanges ranges, ranges_of_results(graph, clipped_layers(graph), evidence));
  return summary("equalization", equalize(graph, ranges));
}

Result<std::string> improve_by_bias_absorption(Graph& graph, const Evidence& evidence) {
  ZP_ASSIGN_OR_RETURN(ChannelRanges ranges, ranges_of_results(graph, rectified_layers(graph), evidence));
  return summary("high-bias absorption", absorb_high_bias(graph, ranges));
}

Result<std::string> improve_by_smoothing(Graph& graph, const Evidence& evidence) {
  Team team(threads_or_all(evidence.calibration.threads));
  ZP_ASSIGN_OR_RETURN(SampleChunks samples, load_chunks(graph, evidence.data));
  ZP_ASSIGN_OR_RETURN(std::vector<LayerNote> notes, smooth(graph, samples, team));
  return summary("SmoothQuant", notes);
}

Result<std::string> improve_by_weight_scales(Graph& graph, QuantPlan& plan, const Evidence& /*evidence*/) {
  ZP_ASSIGN_OR_RETURN(std::vector<LayerNote> notes, fit_weight_scales(graph, plan));
  return summary("least-squares weight scales", notes);
}

Result<std::string> improve_by_gptq(Graph& graph, QuantPlan& plan, const Evidence& evidence) {
  return reconstructed("GPTQ", graph, plan, evidence, {.asymmetric = false, .progress = {}},
                       [](const RoundingProblem& problem, Team& team) { return gptq(problem, {}, team); });
}

Result<std::string> improve_by_adaround(Graph& graph, QuantPlan& plan, const Evidence& evidence) {
  return reconstructed("AdaRound", graph, plan, evidence, {},
                       [](const RoundingProblem& problem, Team& team) { return adaround(problem, {}, team); });
}

Result<std::string> improve_by_bias_correction(Graph& graph, QuantPlan& plan, const Evidence& evidence) {
  Team team(threads_or_all(evidence.calibration.threads));
  ZP_ASSIGN_OR_RETURN(SampleChunks samples, load_chunks(graph, evidence.data));
  ZP_ASSIGN_OR_RETURN(std::vector<LayerNote> notes, correct_bias(graph, plan, samples, team));
  return summary("bias correction", notes);
}

Result<std::string> improve_by_analytic_bias_correction(Graph& graph, QuantPlan& plan,
                                                        const Evidence& evidence) {
  Team team(threads_or_all(evidence.calibration.threads));
  ZP_ASSIGN_OR_RETURN(SampleChunks samples, load_chunks(graph, evidence.data));
  ZP_ASSIGN_OR_RETURN(ChannelMeans means, channel_means(graph, layer_inputs(graph, plan), samples, team));
  ZP_ASSIGN_OR_RETURN(std::vector<LayerNote> notes, correct_bias_by_means(graph, plan, means));
  return summary("analytic bias correction", notes);
}

}  // namespace zeropoint::toolchain
