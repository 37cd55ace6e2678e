#include "quantize/improve/weight_scales.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "quantize/improve/quantized_layers.h"
#include "quantize/improve/weight_rows.h"
#include "quantize/node_role.h"
#include "zeropoint/requantize.h"

namespace zeropoint::toolchain {
namespace {

constexpr int kGrid = 128;
constexpr std::size_t kMostPlaces = std::size_t{1} << 21;

/// The integer of a weight at scale s.
double integer_at(double weight, double scale, QuantizedRange range) {
  return std::clamp(std::nearbyint(weight / scale), static_cast<double>(range.q_min),
                    static_cast<double>(range.q_max));
}

double error_at(std::span<const float> weights, double scale, QuantizedRange range) {
  double error = 0;
  for (float w : weights) {
    double difference = w - scale * integer_at(w, scale, range);
    error += difference * difference;
  }
  return error;
}

/// The best scale in [low, high].
double best_between(std::span<const float> weights, double low, double high, QuantizedRange range) {
  struct Place {
    double scale;
    double weight;
    double before;  // the integer above this scale; below it, it is one further from 0
  };
  std::vector<Place> places;
  double wq = 0;
  double qq = 0;
  double ww = 0;
  for (float w : weights) {
    double q = integer_at(w, high, range);
    wq += w * q;
    qq += q * q;
    ww += static_cast<double>(w) * w;
    auto last = static_cast<double>(w > 0 ? range.q_max : range.q_min);
    while (w != 0 && q != last) {
      double scale = std::fabs(w) / (std::fabs(q) + 0.5);
      if (scale < low) {
        break;
      }
      places.push_back({std::min(scale, high), w, q});
      q += w > 0 ? 1 : -1;
    }
  }
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.scale > b.scale; });
  double best = high;
  double least = std::numeric_limits<double>::infinity();
  double top = high;
  for (std::size_t i = 0; i <= places.size(); ++i) {
    double bottom = i < places.size() ? places[i].scale : low;
    double scale = qq > 0 ? std::clamp(wq / qq, bottom, top) : top;
    double error = ww - 2 * scale * wq + scale * scale * qq;
    if (error < least) {
      least = error;
      best = scale;
    }
    if (i < places.size()) {
      double step = places[i].weight > 0 ? 1 : -1;
      wq += places[i].weight * step;
      qq += 2 * places[i].before * step + 1;
      top = bottom;
    }
  }
  return best;
}

/// Scales of one decision, and the input scale and biases of the layers that read its tensor.
class ScaleFitter {
 public:
  ScaleFitter(const Graph& graph, QuantPlan& plan) : graph_(graph), plan_(plan) {}

  Result<std::vector<LayerNote>> run() {
    std::map<std::string, std::vector<const Node*>> readers;
    for (const Node& node : graph_.nodes) {
      if (role_of(graph_, node).kind == NodeRole::Kind::kLayer) {
        readers[graph_.value(node.inputs[1]).name].push_back(&node);
      }
    }
    std::vector<LayerNote> notes;
    for (Decision& decision : plan_.decisions) {
      auto layers = readers.find(decision.tensor);
      if (layers != readers.end()) {
        ZP_ASSIGN_OR_RETURN(LayerNote note, fit(decision, layers->second));
        notes.push_back(std::move(note));
      }
    }
    return notes;
  }

 private:
  Result<LayerNote> fit(Decision& decision, const std::vector<const Node*>& layers) {
    std::vector<QuantParams>& params = decision.params.params;
    for (const QuantParams& p : params) {
      if (p.zero_point != 0) {
        return LayerNote{describe(*layers[0]), false, "its weights have a zero point"};
      }
    }
    const Tensor& weights = *graph_.constant(*layers[0], 1);
    ZP_ASSIGN_OR_RETURN(QuantizedRange range, decision.type.range());
    ZP_ASSIGN_OR_RETURN(ParamsLayout layout, ParamsLayout::of(weights.shape(), decision.params.granularity));
    std::vector<std::vector<float>> parts(params.size());
    for (std::int64_t i = 0; i < weights.size(); ++i) {
      parts[static_cast<std::size_t>(layout.index_of(i))].push_back(
          weights.data<float>()[static_cast<std::size_t>(i)]);
    }
    double before = 0;
    double after = 0;
    for (std::size_t i = 0; i < params.size(); ++i) {
      before += error_at(parts[i], params[i].scale, range);
      float scale = std::max(least_squares_scale(parts[i], range), kWeightAbsMaxFloor / 127);
      for (const Node* layer : layers) {
        scale = std::max(scale, scale_for_bias(*layer, decision, i, scale));
      }
      params[i].scale = scale;
      after += error_at(parts[i], scale, range);
    }
    for (const Node* layer : layers) {
      follow(*layer, decision);
    }
    decision.reason += fmt::format("; fitted to the weights: squared error {:.3g} of what it was",
                                   before > 0 ? after / before : 1);
    return LayerNote{describe(*layers[0]), true,
                     fmt::format("squared error of the weights {:.3g}, was {:.3g}", after, before)};
  }

  /// The least scale, from `scale` on, at which a layer's bias leaves its products room.
  [[nodiscard]] float scale_for_bias(const Node& layer, const Decision& weights, std::size_t i,
                                     float scale) const {
    const Tensor* bias = bias_of(graph_, layer);
    const Decision* input = input_decision(graph_, plan_, layer);
    if (bias == nullptr || input == nullptr ||
        weights.params.granularity.kind == Granularity::Kind::kPerGroup) {
      return scale;
    }
    std::int64_t depth = WeightRows::of(graph_, layer).columns();
    std::int64_t reserve = products_below(depth, input->type, weights.type);
    std::span<const float> biases = bias->data<float>();
    bool one_for_all = weights.params.params.size() == 1;
    for (std::size_t c = one_for_all ? 0 : i; c < (one_for_all ? biases.size() : i + 1); ++c) {
      scale = weight_scale_that_holds_bias(biases[c], input->params.params[0].scale, scale, reserve);
    }
    return scale;
  }

  /// The bias of a layer is in steps of input scale times weight scale.
  void follow(const Node& layer, const Decision& weights) {
    const Decision* input = input_decision(graph_, plan_, layer);
    for (Decision& decision : plan_.decisions) {
      bool is_bias = layer.has_input(2) && decision.tensor == graph_.value(layer.inputs[2]).name;
      if (!is_bias || input == nullptr || decision.params.params.size() != weights.params.params.size()) {
        continue;
      }
      for (std::size_t i = 0; i < decision.params.params.size(); ++i) {
        decision.params.params[i].scale = input->params.params[0].scale * weights.params.params[i].scale;
      }
    }
  }

  const Graph& graph_;
  QuantPlan& plan_;
};

}  // namespace

float least_squares_scale(std::span<const float> weights, QuantizedRange range) {
  float largest = 0;
  for (float w : weights) {
    largest = std::max(largest, std::fabs(w));
  }
  if (largest == 0) {
    return std::numeric_limits<float>::min();
  }
  double low = largest / (16.0 * static_cast<double>(range.q_max));
  double high = 2.0 * largest;
  if (weights.size() * static_cast<std::size_t>(range.q_max) > kMostPlaces) {
    double step = 1.5 * largest / static_cast<double>(range.q_max) / kGrid;
    double best = step;
    double least = std::numeric_limits<double>::infinity();
    for (int i = 1; i <= kGrid; ++i) {
      double error = error_at(weights, i * step, range);
      if (error < least) {
        least = error;
        best = i * step;
      }
    }
    low = std::max(low, best - step);
    high = best + step;
  }
  return std::max(static_cast<float>(best_between(weights, low, high, range)),
                  std::numeric_limits<float>::min());
}

Result<std::vector<LayerNote>> fit_weight_scales(const Graph& graph, QuantPlan& plan) {
  return ScaleFitter(graph, plan).run();
}

}  // namespace zeropoint::toolchain
