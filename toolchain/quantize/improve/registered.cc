#include "quantize/improve/registered.h"

#include "parallel/team.h"
#include "quantize/improve/adaround.h"
#include "quantize/improve/bias_absorption.h"
#include "quantize/improve/bias_correction.h"
#include "quantize/improve/equalization.h"
#include "quantize/improve/gptq.h"
#include "quantize/improve/smooth_quant.h"
#include "quantize/improve/weight_scales.h"
#include "quantize/node_role.h"

namespace zeropoint::toolchain {
namespace {

/// What calibration saw of the channels of the input or result `value` of a layer; nullptr where it saw none
/// as the layer has them.
const ChannelStatistics* channels_of(const Graph& graph, const Node& layer, ValueId value,
                                     const Evidence& evidence) {
  auto found = evidence.statistics.tensors.find(graph.value(value).name);
  if (found == evidence.statistics.tensors.end()) {
    return nullptr;
  }
  bool convolution = layer.op == Op::kConv || layer.op == Op::kConvTranspose;
  const std::optional<Dims>& dims = graph.value(value).dims;
  std::int64_t axis = convolution ? 1 : (dims ? static_cast<std::int64_t>(dims->size()) - 1 : -1);
  const ChannelStatistics& channels = found->second.channels;
  return axis >= 0 && channels.axis == axis && channels.size() > 0 ? &channels : nullptr;
}

/// The ranges of the channels of layer results, of those that calibration saw.
ChannelRanges ranges_of_results(const Graph& graph, const std::vector<ValueId>& results,
                                const Evidence& evidence) {
  std::vector<std::int32_t> made_by = producers(graph);
  ChannelRanges ranges;
  for (ValueId result : results) {
    const Node& layer = graph.nodes[static_cast<std::size_t>(made_by[static_cast<std::size_t>(result)])];
    if (const ChannelStatistics* channels = channels_of(graph, layer, result, evidence)) {
      ranges[result] = channels->ranges;
    }
  }
  return ranges;
}

/// The means of the channels of what layers read: as calibration saw them, else as a BatchNormalization says.
ChannelMeans means_of_inputs(const Graph& graph, const Evidence& evidence) {
  ChannelMeans means;
  for (const Node& node : graph.nodes) {
    const ChannelStatistics* channels = role_of(graph, node).kind == NodeRole::Kind::kLayer
                                            ? channels_of(graph, node, node.inputs[0], evidence)
                                            : nullptr;
    const std::string& name = graph.value(node.inputs[0]).name;
    if (channels != nullptr && means.count(name) == 0) {
      std::vector<double>& of_input = means[name];
      for (std::int64_t c = 0; c < channels->size(); ++c) {
        of_input.push_back(channels->mean(c));
      }
    }
  }
  means.insert(evidence.means.begin(), evidence.means.end());
  return means;
}

Result<std::string> reconstructed(std::string_view name, Graph& graph, const QuantPlan& plan,
                                  const Evidence& evidence, ReconstructionOptions options,
                                  const Rounder& round) {
  Team team(threads_or_all(evidence.calibration.threads));
  ZP_ASSIGN_OR_RETURN(SampleChunks samples, load_chunks(graph, evidence.data));
  options.progress = evidence.calibration.progress;
  options.stop = evidence.calibration.stop;
  ZP_ASSIGN_OR_RETURN(std::vector<LayerNote> notes, reconstruct(graph, plan, samples, team, options, round));
  return summary(name, notes);
}

}  // namespace

Result<std::string> improve_by_equalization(Graph& graph, const Evidence& evidence) {
  return summary("equalization", equalize(graph, ranges_of_results(graph, clipped_layers(graph), evidence)));
}

Result<std::string> improve_by_bias_absorption(Graph& graph, const Evidence& evidence) {
  return summary("high-bias absorption",
                 absorb_high_bias(graph, ranges_of_results(graph, rectified_layers(graph), evidence)));
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
  return reconstructed("GPTQ", graph, plan, evidence, {}, [](const RoundingProblem& problem, Team& team) {
    return gptq(problem, {.asymmetric = true}, team);
  });
}

Result<std::string> improve_by_adaround(Graph& graph, QuantPlan& plan, const Evidence& evidence) {
  return reconstructed("AdaRound", graph, plan, evidence, {}, [](const RoundingProblem& problem, Team& team) {
    return adaround(problem, {}, team);
  });
}

Result<std::string> improve_by_bias_correction(Graph& graph, QuantPlan& plan, const Evidence& evidence) {
  Team team(threads_or_all(evidence.calibration.threads));
  ZP_ASSIGN_OR_RETURN(SampleChunks samples, load_chunks(graph, evidence.data));
  ZP_ASSIGN_OR_RETURN(std::vector<LayerNote> notes, correct_bias(graph, plan, samples, team));
  return summary("bias correction", notes);
}

Result<std::string> improve_by_analytic_bias_correction(Graph& graph, QuantPlan& plan,
                                                        const Evidence& evidence) {
  ZP_ASSIGN_OR_RETURN(std::vector<LayerNote> notes,
                      correct_bias_by_means(graph, plan, means_of_inputs(graph, evidence)));
  return summary("analytic bias correction", notes);
}

}  // namespace zeropoint::toolchain
