#include "zeropoint/toolchain/quantize_network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "quantize/endangered.h"
#include "quantize/improve/channel_means.h"
#include "quantize/improvement.h"
#include "quantize/plan_biases.h"

namespace zeropoint::toolchain {
namespace {

Status check_samples(const Improvement& improvement, const Evidence& evidence) {
  return improvement.needs_samples && evidence.data.empty()
             ? Status::invalid_argument(fmt::format(
                   "improvement '{}' needs calibration samples; statistics are not enough", improvement.name))
             : Status();
}

void add_note(std::vector<std::string>& record, std::string note) {
  if (!note.empty()) {
    record.push_back(std::move(note));
  }
}

/// Nodes are called by their names in recipes and plans.
void give_names(Graph& graph) {
  std::set<std::string> names;
  for (Node& node : graph.nodes) {
    if (node.name.empty() || !names.insert(node.name).second) {
      std::string base = node.name.empty() ? std::string(name_of(node.op)) : node.name;
      for (int number = 1; node.name.empty() || !names.insert(node.name).second; ++number) {
        node.name = fmt::format("{}_{}", base, number);
      }
    }
  }
}

/// The mechanical part: `network` has the float network and the plan, and gets the rest.
Status apply_and_lower(QuantizedNetwork& network) {
  ZP_ASSIGN_OR_RETURN(network.graph, apply_plan(network.improved, network.plan));
  ZP_ASSIGN_OR_RETURN(network.lowering, lower(network.graph, RequantizeMode::kFloat));
  return {};
}

}  // namespace

Result<PreparedNetwork> prepare_network(Graph graph, bool keep) {
  if (std::any_of(graph.nodes.begin(), graph.nodes.end(),
                  [](const Node& node) { return node.op == Op::kQuantizeLinear; })) {
    return Status::invalid_argument("the model is quantized already");
  }
  ZP_RETURN_IF_ERROR(widen_halves(graph).status());
  ChannelMeans means = channel_means_of_batch_norms(graph);
  std::vector<Simplification> passes;
  if (!keep) {
    ZP_ASSIGN_OR_RETURN(passes, simplify(graph));
  }
  separate_constants(graph);
  give_names(graph);
  return PreparedNetwork{std::move(graph), std::move(passes), std::move(means)};
}

NetworkQuantizer::NetworkQuantizer(Graph prepared, Evidence evidence)
    : original_{std::move(prepared), std::move(evidence), {}} {}

Result<const NetworkQuantizer::Improved*> NetworkQuantizer::improved(
    const std::vector<std::string>& improvements) {
  ZP_ASSIGN_OR_RETURN(std::vector<const Improvement*> wanted, improvements_of(improvements));
  const Improved* last = &original_;
  std::vector<std::string> names;
  for (const Improvement* improvement : wanted) {
    if (improvement->before == nullptr) {
      continue;
    }
    names.emplace_back(improvement->name);
    auto known = improved_.find(names);
    if (known == improved_.end()) {
      ZP_RETURN_IF_ERROR(check_samples(*improvement, last->evidence));
      Improved next = *last;
      ZP_ASSIGN_OR_RETURN(std::string note, improvement->before(next.graph, last->evidence));
      if (!note.empty()) {
        if (next.evidence.data.empty()) {
          return Status::invalid_argument(fmt::format(
              "after improvement '{}' statistics are gathered anew, which needs calibration samples",
              improvement->name));
        }
        ZP_ASSIGN_OR_RETURN(next.evidence.statistics,
                            gather_statistics(next.graph, next.evidence.data, next.evidence.calibration));
        std::int64_t samples = next.evidence.data[0]->size();
        if (next.evidence.statistics.samples() < samples && next.evidence.calibration.stop &&
            next.evidence.calibration.stop()) {
          return Status(StatusCode::kIo,
                        fmt::format("stopped while statistics were gathered anew after improvement '{}'",
                                    improvement->name));
        }
      }
      next.evidence.means.clear();  // of the network before
      add_note(next.record, std::move(note));
      known = improved_.emplace(names, std::move(next)).first;
    }
    last = &known->second;
  }
  return last;
}

namespace {

/// The ranges by the recipe's calibrator, and those of what single nodes give by theirs.
Result<RangeTable> ranges_by(const Recipe& recipe, const Graph& graph, const Evidence& evidence) {
  CalibrationMethod method = evidence.method;
  if (!recipe.calibrator.empty()) {
    ZP_ASSIGN_OR_RETURN(method, CalibrationMethod::parse(recipe.calibrator));
  }
  RangeTable ranges = choose_ranges(evidence.statistics, method, recipe.activations);
  for (const Node& node : graph.nodes) {
    NodeRecipe wish = node_recipe(recipe, node);
    if (wish.calibrator == recipe.calibrator) {
      continue;
    }
    ZP_ASSIGN_OR_RETURN(CalibrationMethod own, CalibrationMethod::parse(wish.calibrator));
    for (ValueId output : node.outputs) {
      auto seen = output == kNoValue ? evidence.statistics.tensors.end()
                                     : evidence.statistics.tensors.find(graph.value(output).name);
      if (seen != evidence.statistics.tensors.end()) {
        ranges.ranges[seen->first] = choose_range(seen->second, own, wish.activations);
      }
    }
  }
  return ranges;
}

/// What the recipe names, and, where it does not forbid that, what never makes a network worse: biases of
/// integer layers take back the mean error of their weights, measured where there are samples.
std::vector<std::string> with_defaults(const Recipe& recipe, const Evidence& evidence) {
  std::vector<std::string> names = recipe.improvements;
  bool corrects = std::ranges::any_of(
      names, [](const std::string& name) { return name.rfind("bias-correction", 0) == 0; });
  if (recipe.correct_biases && !corrects && recipe.mode == ActivationMode::kStatic) {
    names.emplace_back(evidence.data.empty() ? "bias-correction-analytic" : "bias-correction");
  }
  return names;
}

/// "3 activations have 16 bits, ...": what the plan decided against the recipe's 8.
std::string protected_note(const QuantPlan& plan) {
  std::size_t count = 0;
  const Decision* first = nullptr;
  std::string_view marker = "; 16 bits, since ";
  for (const Decision& decision : plan.decisions) {
    if (decision.reason.find(marker) != std::string::npos) {
      first = count++ == 0 ? &decision : first;
    }
  }
  if (first == nullptr) {
    return "";
  }
  return fmt::format("{} tensor{} 16 bits, since 8 would do damage; the first, '{}', since {}", count,
                     count == 1 ? " has" : "s have", first->tensor,
                     first->reason.substr(first->reason.find(marker) + marker.size()));
}

}  // namespace

Result<QuantizedNetwork> NetworkQuantizer::finish(const Improved& basis, QuantPlan plan,
                                                  bool planned_before) {
  // What is made again must see what it saw the first time: biases were corrected after it.
  QuantPlan bare = planned_before ? without_biases(plan) : plan;
  QuantizedNetwork network{basis.graph, {}, {}, {}, basis.record};
  ZP_ASSIGN_OR_RETURN(std::vector<const Improvement*> wanted, improvements_of(plan.improvements));
  for (const Improvement* improvement : wanted) {
    if (improvement->after != nullptr && !(planned_before && improvement->is_in_plan)) {
      ZP_RETURN_IF_ERROR(check_samples(*improvement, basis.evidence));
      ZP_ASSIGN_OR_RETURN(std::string note, improvement->after(network.improved, bare, basis.evidence));
      add_note(network.record, std::move(note));
    }
  }
  network.plan = planned_before ? std::move(plan) : std::move(bare);
  if (planned_before) {
    ZP_ASSIGN_OR_RETURN(network.improved, with_biases(network.improved, network.plan));
  }
  note_biases(basis.graph, network.improved, network.plan);
  ZP_RETURN_IF_ERROR(apply_and_lower(network));
  return network;
}

Result<QuantizedNetwork> NetworkQuantizer::quantize(const Recipe& recipe) {
  std::vector<std::string> wanted = with_defaults(recipe, original_.evidence);
  ZP_ASSIGN_OR_RETURN(const Improved* basis, improved(wanted));
  ZP_ASSIGN_OR_RETURN(RangeTable ranges, ranges_by(recipe, basis->graph, basis->evidence));
  ZP_ASSIGN_OR_RETURN(QuantPlan plan, make_plan(basis->graph, ranges, recipe, &basis->evidence.statistics));
  std::string note = protected_note(plan);
  plan.improvements = std::move(wanted);
  ZP_ASSIGN_OR_RETURN(QuantizedNetwork network, finish(*basis, std::move(plan), false));
  add_note(network.record, std::move(note));
  return network;
}

Result<QuantizedNetwork> NetworkQuantizer::quantize_and_cure(const Recipe& recipe) {
  constexpr double kGainDb = 0.5;  // of the output, that more bits are worth
  ZP_ASSIGN_OR_RETURN(QuantizedNetwork network, quantize(recipe));
  if (!recipe.protect || recipe.mode != ActivationMode::kStatic || recipe.activations.bits != 8 ||
      original_.evidence.data.empty()) {
    return network;
  }
  ZP_ASSIGN_OR_RETURN(const Improved* basis, improved(network.plan.improvements));
  if (!is_quick_to_measure(basis->graph)) {
    add_note(
        network.record,
        "layers were not measured one by one, as a sample makes too many values: `zeropoint compare` does");
    return network;
  }
  ZP_ASSIGN_OR_RETURN(Endangered found, find_endangered(basis->graph, network, recipe, basis->evidence));
  if (found.layers == 0) {
    return network;
  }
  std::string note =
      fmt::format("{} layer{} less than 20 dB of signal over error, taken alone, the worst, '{}', {:.1f}",
                  found.layers, found.layers == 1 ? " has" : "s have", found.worst, found.worst_db);
  if (found.raised > 0) {
    ZP_ASSIGN_OR_RETURN(QuantizedNetwork cured, quantize(found.cure));
    ZP_ASSIGN_OR_RETURN(double before, output_sqnr(basis->graph, network, basis->evidence));
    ZP_ASSIGN_OR_RETURN(double after, output_sqnr(basis->graph, cured, basis->evidence));
    if (after > before + kGainDb) {
      network = std::move(cured);
      note += fmt::format("; {} got 16 bits, which takes the output from {:.1f} to {:.1f} dB", found.raised,
                          before, after);
      add_note(network.record, std::move(note));
      return network;
    }
  }
  add_note(network.record,
           note + "; more bits do not help the output: `zeropoint compare` says where it is lost");
  return network;
}

Result<QuantizedNetwork> NetworkQuantizer::apply(const QuantPlan& plan) {
  ZP_ASSIGN_OR_RETURN(const Improved* basis, improved(plan.improvements));
  return finish(*basis, plan, true);
}

Result<bool> needs_evidence(const QuantPlan& plan) {
  ZP_ASSIGN_OR_RETURN(std::vector<const Improvement*> made, improvements_of(plan.improvements));
  return !std::ranges::all_of(made, [](const Improvement* improvement) { return improvement->is_in_plan; });
}

Result<QuantizedNetwork> quantize_by_plan(const Graph& prepared, const QuantPlan& plan) {
  ZP_ASSIGN_OR_RETURN(bool needs, needs_evidence(plan));
  if (needs) {
    return Status::invalid_argument(fmt::format(
        "the plan rests on improvements of the float network ({}), which need calibration samples "
        "to be made again",
        fmt::join(plan.improvements, ", ")));
  }
  return NetworkQuantizer(prepared, {}).apply(plan);
}

}  // namespace zeropoint::toolchain
