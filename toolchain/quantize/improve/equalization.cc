#include "quantize/improve/equalization.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quantize/improve/layer_pairs.h"
#include "quantize/improve/quantized_layers.h"
#include "quantize/improve/weight_rows.h"

namespace zeropoint::toolchain {
namespace {

/// A pass over all pairs ends the work when no factor differs from 1 by more.
constexpr double kSettled = 1e-4;
constexpr int kMostPasses = 100;

/// A layer's weights and bias while they are being scaled: rounded to float once, at the end.
struct LayerInDouble {
  WeightRows rows;
  std::vector<double> weights;
  std::vector<double> bias;  // empty where there is none

  static LayerInDouble of(const Graph& graph, const Node& node) {
    std::span<const float> weights = graph.constant(node, 1)->data<float>();
    LayerInDouble layer{WeightRows::of(graph, node), {weights.begin(), weights.end()}, {}};
    if (node.has_input(2)) {
      std::span<const float> bias = graph.constant(node, 2)->data<float>();
      layer.bias.assign(bias.begin(), bias.end());
    }
    return layer;
  }

  template <typename Function>
  void for_each(Function&& function) {
    for (std::int64_t row = 0; row < rows.rows(); ++row) {
      for (std::int64_t column = 0; column < rows.columns(); ++column) {
        function(static_cast<std::size_t>(row), static_cast<std::size_t>(rows.input_channel(row, column)),
                 weights[rows.element(row, column)]);
      }
    }
  }

  void write(Graph& graph, const Node& node) const {
    auto store = [&](std::size_t input, const std::vector<double>& values) {
      Tensor tensor = *graph.constant(node, input);
      std::transform(values.begin(), values.end(), tensor.data<float>().begin(),
                     [](double value) { return static_cast<float>(value); });
      set_constant(graph, node.inputs[input], std::move(tensor));
    };
    store(1, weights);
    if (!bias.empty()) {
      store(2, bias);
    }
  }
};

/// The factors that a pair's Clip leaves free.
struct Freedom {
  std::vector<double> least;  // per channel
  std::vector<bool> fixed;    // per channel: its factor stays 1
};

class Equalizer {
 public:
  Equalizer(Graph& graph, const ChannelRanges& ranges) : graph_(graph), ranges_(ranges) {}

  std::vector<LayerNote> run() {
    LayerPairs found = layer_pairs(graph_);
    notes_ = std::move(found.refused);
    for (const LayerPair& pair : found.pairs) {
      admit(pair);
    }
    for (int pass = 0; pass < kMostPasses; ++pass) {
      double moved = 0;
      for (Work& work : works_) {
        moved = std::max(moved, scale(work));
      }
      if (moved < kSettled) {
        break;
      }
    }
    for (const auto& [node, layer] : layers_) {
      layer.write(graph_, graph_.nodes[node]);
    }
    for (const Work& work : works_) {
      auto [low, high] = std::minmax_element(work.factors.begin(), work.factors.end());
      notes_.push_back(
          {describe(graph_.nodes[work.pair.first]), true,
           fmt::format("channels divided by {:.3g} to {:.3g}, {} multiplied by them{}", *low, *high,
                       describe(graph_.nodes[work.pair.second]), work.note)});
    }
    return std::move(notes_);
  }

 private:
  struct Work {
    LayerPair pair;
    Freedom freedom;
    std::vector<double> factors;
    std::string note;
  };

  void admit(const LayerPair& pair) {
    const Node& first = graph_.nodes[pair.first];
    auto channels = static_cast<std::size_t>(WeightRows::of(graph_, first).rows());
    Work work{pair, {std::vector<double>(channels, 0), std::vector<bool>(channels, false)},
              std::vector<double>(channels, 1), ""};
    if (pair.clip) {
      auto range = ranges_.find(first.outputs[0]);
      if (range == ranges_.end()) {
        notes_.push_back({describe(first), false, "how far its channels reach below its Clip is not known"});
        return;
      }
      limit(work, range->second);
    }
    layers_.try_emplace(pair.first, LayerInDouble::of(graph_, first));
    layers_.try_emplace(pair.second, LayerInDouble::of(graph_, graph_.nodes[pair.second]));
    works_.push_back(std::move(work));
  }

  void limit(Work& work, const std::vector<RealRange>& range) {
    auto clipped = std::count_if(range.begin(), range.end(),
                                 [&](const RealRange& channel) { return channel.r_max >= work.pair.limit; });
    if (clipped == 0) {
      Node& clip = graph_.nodes[*work.pair.clip];
      clip.op = Op::kRelu;
      clip.inputs.resize(1);
      clip.attributes.clear();
      work.note = fmt::format("; no channel reached {}, so the Clip became a Relu", work.pair.limit);
      return;
    }
    for (std::size_t c = 0; c < range.size(); ++c) {
      work.freedom.fixed[c] = range[c].r_max >= work.pair.limit;
      work.freedom.least[c] = range[c].r_max / work.pair.limit;
    }
    work.note = fmt::format("; {} of {} reach {} and keep theirs", clipped, range.size(), work.pair.limit);
  }

  /// Equalizes one pair; how far the factor furthest from 1 is from it.
  double scale(Work& work) {
    LayerInDouble& first = layers_.at(work.pair.first);
    LayerInDouble& second = layers_.at(work.pair.second);
    std::vector<double> largest1(work.factors.size(), 0);
    std::vector<double> largest2(work.factors.size(), 0);
    first.for_each([&](std::size_t row, std::size_t /*channel*/, double weight) {
      largest1[row] = std::max(largest1[row], std::fabs(weight));
    });
    second.for_each([&](std::size_t /*row*/, std::size_t channel, double weight) {
      largest2[channel] = std::max(largest2[channel], std::fabs(weight));
    });
    std::vector<double> factors(work.factors.size(), 1);
    double moved = 0;
    for (std::size_t c = 0; c < factors.size(); ++c) {
      if (work.freedom.fixed[c] || largest1[c] == 0 || largest2[c] == 0) {
        continue;
      }
      factors[c] = std::max(std::sqrt(largest1[c] / largest2[c]), work.freedom.least[c] / work.factors[c]);
      work.factors[c] *= factors[c];
      moved = std::max(moved, std::fabs(factors[c] - 1));
    }
    first.for_each([&](std::size_t row, std::size_t, double& weight) { weight /= factors[row]; });
    for (std::size_t c = 0; c < first.bias.size(); ++c) {
      first.bias[c] /= factors[c];
    }
    second.for_each([&](std::size_t, std::size_t channel, double& weight) { weight *= factors[channel]; });
    return moved;
  }

  Graph& graph_;
  const ChannelRanges& ranges_;
  std::map<std::size_t, LayerInDouble> layers_;  // by node
  std::vector<Work> works_;
  std::vector<LayerNote> notes_;
};

/// Why c cannot be moved through what stands between the layers; empty where it can.
std::string why_not_absorbed(const Graph& graph, const LayerPair& pair) {
  const Node& second = graph.nodes[pair.second];
  bool relu = pair.between.size() == 1 && graph.nodes[pair.between[0]].op == Op::kRelu;
  if (!relu) {
    return "no Relu alone stands behind it";
  }
  if (!graph.nodes[pair.first].has_input(2) || !second.has_input(2)) {
    return "it or the layer behind it has no bias";
  }
  std::vector<std::int64_t> pads = ints_attribute(second, "pads");
  bool pads_some = std::any_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad != 0; }) ||
                   string_attribute(second, "auto_pad").starts_with("SAME");
  // A ConvTranspose adds fewer products at its border.
  return second.op == Op::kConvTranspose || (second.op == Op::kConv && pads_some)
             ? "the padding behind it would stand for the absorbed part"
             : "";
}

}  // namespace

std::vector<ValueId> clipped_layers(const Graph& graph) {
  std::vector<ValueId> values;
  for (const LayerPair& pair : layer_pairs(graph).pairs) {
    if (pair.clip) {
      values.push_back(graph.nodes[pair.first].outputs[0]);
    }
  }
  return values;
}

std::vector<LayerNote> equalize(Graph& graph, const ChannelRanges& ranges) {
  return Equalizer(graph, ranges).run();
}

std::vector<ValueId> rectified_layers(const Graph& graph) {
  std::vector<ValueId> values;
  for (const LayerPair& pair : layer_pairs(graph).pairs) {
    if (why_not_absorbed(graph, pair).empty()) {
      values.push_back(graph.nodes[pair.first].outputs[0]);
    }
  }
  return values;
}

std::vector<LayerNote> absorb_high_bias(Graph& graph, const ChannelRanges& ranges) {
  LayerPairs found = layer_pairs(graph);
  std::vector<LayerNote> notes = std::move(found.refused);
  for (const LayerPair& pair : found.pairs) {
    const Node& node = graph.nodes[pair.first];
    std::string why = why_not_absorbed(graph, pair);
    auto range = ranges.find(node.outputs[0]);
    if (why.empty() && range == ranges.end()) {
      why = "the ranges of its channels are not known";
    }
    auto never_below_0 = [](const RealRange& channel) { return channel.r_min > 0; };
    if (why.empty() && std::none_of(range->second.begin(), range->second.end(), never_below_0)) {
      why = "all its channels reach down to 0";
    }
    if (!why.empty()) {
      notes.push_back({describe(node), false, std::move(why)});
      continue;
    }
    LayerInDouble first = LayerInDouble::of(graph, node);
    LayerInDouble second = LayerInDouble::of(graph, graph.nodes[pair.second]);
    std::vector<double> absorbed;
    for (std::size_t c = 0; c < first.bias.size(); ++c) {
      absorbed.push_back(std::max(0.0F, range->second[c].r_min));
      first.bias[c] -= absorbed[c];
    }
    second.for_each([&](std::size_t row, std::size_t channel, double weight) {
      second.bias[row] += weight * absorbed[channel];
    });
    first.write(graph, node);
    second.write(graph, graph.nodes[pair.second]);
    notes.push_back({describe(node), true,
                     fmt::format("up to {:.4g} of {} channels moved into the bias of {}",
                                 *std::max_element(absorbed.begin(), absorbed.end()),
                                 std::count_if(range->second.begin(), range->second.end(), never_below_0),
                                 describe(graph.nodes[pair.second]))});
  }
  return notes;
}

}  // namespace zeropoint::toolchain
