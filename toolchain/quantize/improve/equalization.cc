#include "quantize/improve/equalization.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quantize/improve/layer_in_double.h"
#include "quantize/improve/layer_pairs.h"

namespace zeropoint::toolchain {
namespace {

/// A pass over all pairs ends the work when no factor differs from 1 by more.
constexpr double kSettled = 1e-4;
constexpr int kMostPasses = 100;

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
      notes_.push_back({describe(graph_.nodes[work.pair.first]), true,
                        fmt::format("channels divided by {:.3g} to {:.3g}, {} multiplied by them{}", *low,
                                    *high, describe(graph_.nodes[work.pair.second]), work.note)});
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
    Work work{pair,
              {std::vector<double>(channels, 0), std::vector<bool>(channels, false)},
              std::vector<double>(channels, 1),
              ""};
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

}  // namespace zeropoint::toolchain
