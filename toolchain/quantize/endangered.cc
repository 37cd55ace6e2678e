#include "quantize/endangered.h"

#include <algorithm>
#include <cmath>

#include "zeropoint/toolchain/float_executor.h"
#include "zeropoint/toolchain/measure.h"

namespace zeropoint::toolchain {
namespace {

constexpr double kLeastDb = 20;

/// Few samples say it: up to four that make ten million values. 0 where one makes more, since measuring would
/// then take longer than all else.
std::int64_t samples_for(const Graph& graph) {
  constexpr double kElements = 10e6;
  constexpr std::int64_t kMost = 4;
  double elements = 1;
  for (const Value& value : graph.values) {
    if (value.constant == nullptr && value.dims) {
      Result<std::int64_t> count = element_count(shape_of(*value.dims, 1));
      elements += count.ok() ? static_cast<double>(*count) : 0;
    }
  }
  return std::min(static_cast<std::int64_t>(kElements / elements), kMost);
}

Result<Measurement> measured(const Graph& reference, const QuantizedNetwork& network,
                             const Evidence& evidence, bool layers) {
  std::int64_t batch = fixed_batch(reference).value_or(1);
  std::int64_t count = (samples_for(reference) + batch - 1) / batch * batch;
  std::vector<std::shared_ptr<const Dataset>> few;
  for (const std::shared_ptr<const Dataset>& data : evidence.data) {
    ZP_ASSIGN_OR_RETURN(std::unique_ptr<Dataset> some,
                        first_samples(data, std::min(count, data->size() - data->size() % batch)));
    few.emplace_back(std::move(some));
  }
  MeasureOptions options;
  options.threads = evidence.calibration.threads;
  options.use_labels = false;
  options.plan = &network.plan;
  options.layers = layers;
  return measure(reference, network.graph, few, options);
}

/// Of a part of an error, given as a share of the signal's power.
bool is_too_much(double share) { return share > std::pow(10, -kLeastDb / 10); }

class Physician {
 public:
  Physician(const Graph& graph, const QuantPlan& plan, const Recipe& recipe)
      : graph_(graph), plan_(plan), recipe_(recipe) {
    result_.cure = recipe;
  }

  void examine(const LayerMeasurement& layer) {
    if (layer.only_moves || layer.elements == 0 || !std::isfinite(layer.isolated.sqnr_db)) {
      return;
    }
    // A bias that was corrected for errors of what the layer reads is no error of its own.
    double constants = layer.constants * (layer.bias_was_improved ? 1 - layer.constant_shift : 1);
    double db = -10 * std::log10(layer.clipping + layer.rounding + constants);
    if (db >= kLeastDb) {
      return;
    }
    if (result_.layers++ == 0 || db < result_.worst_db) {
      result_.worst = layer.tensor;
      result_.worst_db = db;
    }
    std::size_t before = result_.cure.overrides.size();
    if (layer.is_quantized && layer.bits == 8 && is_too_much(layer.clipping + layer.rounding)) {
      raise_activation(layer.node);
      for (const std::string& reader : layer.readers) {
        raise_activation(reader);
      }
    }
    if (layer.weights && is_too_much(constants)) {
      raise_weights(layer);
    }
    result_.raised += result_.cure.overrides.size() > before ? 1 : 0;
  }

  Endangered result() { return std::move(result_); }

 private:
  [[nodiscard]] const Node* find(const std::string& name) const {
    auto node = std::ranges::find_if(graph_.nodes, [&](const Node& some) { return some.name == name; });
    return node == graph_.nodes.end() ? nullptr : &*node;
  }

  void raise_activation(const std::string& name) {
    const Node* node = find(name);
    if (node == nullptr) {
      return;
    }
    NodeRecipe wish = node_recipe(recipe_, *node);
    if (!wish.in_float && wish.mode == ActivationMode::kStatic && wish.activations == recipe_.activations) {
      result_.cure.overrides.push_back({.nodes = name, .activations = QuantizedType{16, true}});
    }
  }

  void raise_weights(const LayerMeasurement& layer) {
    const Node* node = find(layer.node);
    const Decision* weights = plan_.find(layer.weights->tensor);
    if (node != nullptr && weights != nullptr && weights->type.bits == 8 &&
        !node_recipe(recipe_, *node).weights_by_override) {
      result_.cure.overrides.push_back({.nodes = layer.node, .weight_bits = 16});
    }
  }

  const Graph& graph_;
  const QuantPlan& plan_;
  const Recipe& recipe_;
  Endangered result_;
};

}  // namespace

bool is_quick_to_measure(const Graph& graph) { return samples_for(graph) > 0; }

Result<Endangered> find_endangered(const Graph& reference, const QuantizedNetwork& network,
                                   const Recipe& recipe, const Evidence& evidence) {
  ZP_ASSIGN_OR_RETURN(Measurement measurement, measured(reference, network, evidence, true));
  Physician physician(reference, network.plan, recipe);
  for (const LayerMeasurement& layer : measurement.layers) {
    physician.examine(layer);
  }
  return physician.result();
}

Result<double> output_sqnr(const Graph& reference, const QuantizedNetwork& network,
                           const Evidence& evidence) {
  ZP_ASSIGN_OR_RETURN(Measurement measurement, measured(reference, network, evidence, false));
  return measurement.outputs.at(0).deviation.sqnr_db;
}

}  // namespace zeropoint::toolchain
