#include "zeropoint/toolchain/tune.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "quantize/improvement.h"
#include "tune/trials.h"

namespace zeropoint::toolchain {
namespace {

/// An improvement that changes less than this share of the divergence is not worth its place in a recipe.
constexpr double kWorthIt = 0.02;
/// Layers are raised by what dominates their error; a part below this share is left as it is.
constexpr double kPart = 0.1;
/// The layers that lose most are the ones looked at.
constexpr std::size_t kMostCandidates = 40;

/// More bits for one layer.
struct Raise {
  std::string what;
  std::vector<RecipeOverride> wishes;
  double gain_per_bit = 0;
};

/// Improvements that take minutes.
bool is_learnt(const std::string& name) { return name == "adaround" || name == "gptq"; }

double output_error(const OutputMeasurement& output) { return std::pow(10, -output.deviation.sqnr_db / 20); }

class Tuner {
 public:
  Tuner(NetworkQuantizer& quantizer, const Graph& prepared,
        std::span<const std::shared_ptr<const Dataset>> data, const TuneOptions& options)
      : quantizer_(quantizer),
        prepared_(prepared),
        data_(data.begin(), data.end()),
        options_(options),
        trials_(options.subject) {}

  Result<TuneResult> run() {
    if (!options_.state.empty()) {
      ZP_RETURN_IF_ERROR(trials_.load(options_.state));
      known_ = trials_.size();
    }
    ZP_RETURN_IF_ERROR(take_few());
    ZP_ASSIGN_OR_RETURN(Trial first, trial(options_.start, data_, options_.start.base));
    if (!first.error.empty()) {
      return Status::invalid_argument(first.error);
    }
    best_ = options_.start;
    best_trial_ = first;
    tell("as it is: " + options_.start.base, first, true);
    if (!met()) {
      ZP_RETURN_IF_ERROR(improve());
    }
    if (!met()) {
      ZP_RETURN_IF_ERROR(raise_bits());
    }
    if (!met()) {
      ZP_RETURN_IF_ERROR(leave_in_float());
    }
    return finish();
  }

 private:
  [[nodiscard]] bool meets(const Trial& trial) const {
    return trial.error.empty() && bound(trial) <= options_.max_drop;
  }
  [[nodiscard]] double bound(const Trial& trial) const {
    return drop_bound(trial.figures, options_.confidence);
  }
  [[nodiscard]] bool met() const { return meets(best_trial_); }

  Status take_few() {
    for (const std::shared_ptr<const Dataset>& input : data_) {
      ZP_ASSIGN_OR_RETURN(std::unique_ptr<Dataset> some, first_samples(input, options_.sensitivity_samples));
      few_.emplace_back(std::move(some));
    }
    return {};
  }

  void tell(std::string what, const Trial& trial, bool kept) {
    result_.steps.push_back({std::move(what), trial.figures, kept, meets(trial), trial.error, bound(trial)});
    if (options_.on_step) {
      options_.on_step(result_.steps.back());
    }
  }

  /// Quantizes by `recipe` and measures on `data`, unless that is known.
  Result<Trial> trial(const Recipe& recipe, const std::vector<std::shared_ptr<const Dataset>>& data,
                      const std::string& what) {
    std::string key = to_json(recipe);
    ++result_.trials;
    if (const Trial* known = trials_.find(key, data[0]->size())) {
      ++result_.known;
      return *known;
    }
    if (options_.stop && options_.stop()) {
      return Status(StatusCode::kInternal, fmt::format("stopped after {} trials", trials_.size()));
    }
    if (options_.on_trial) {
      options_.on_trial(what);
    }
    Result<Trial> made = measured(recipe, data);
    if (!made.ok() && options_.stop && options_.stop()) {
      return made.status();  // no fault of the recipe
    }
    Trial outcome = made.ok() ? *made : Trial();
    outcome.error = made.status().message();
    trials_.add(key, data[0]->size(), outcome);
    if (options_.save) {
      ZP_RETURN_IF_ERROR(options_.save(trials_.text()));
    }
    return outcome;
  }

  Result<Trial> measured(const Recipe& recipe, const std::vector<std::shared_ptr<const Dataset>>& data) {
    ZP_ASSIGN_OR_RETURN(QuantizedNetwork network, quantizer_.quantize(recipe));
    MeasureOptions how = options_.measure;
    how.layers = false;
    ZP_ASSIGN_OR_RETURN(Measurement measurement, measure(prepared_, network.graph, data, how));
    Trial trial = judged(measurement);
    trial.figures.bits = network_bits(network.improved, network.plan);
    return trial;
  }

  [[nodiscard]] Trial judged(const Measurement& measurement) const {
    Trial trial;
    const OutputMeasurement& output = measurement.outputs.at(0);
    trial.figures.divergence = output.divergence;
    if (measurement.float_scores && measurement.quantized_scores) {
      const Evaluation& before = *measurement.float_scores;
      const Evaluation& after = *measurement.quantized_scores;
      if (options_.is_text) {
        trial.target = TuneTarget::kPerplexity;
        trial.float_score = std::exp(before.mean_loss);
        trial.figures.drop = std::exp(after.mean_loss - before.mean_loss) - 1;
        trial.figures.expected_drop = std::exp(output.divergence) - 1;
        trial.figures.standard_error = std::exp(output.divergence) * output.divergence_error;
      } else {
        trial.float_score = before.accuracy();
        trial.figures.drop = before.accuracy() - after.accuracy();
        trial.figures.expected_drop = output.expected_loss;
        trial.figures.standard_error = output.expected_loss_error;
      }
    } else if (output.rows > 0) {
      trial.target = TuneTarget::kAgreement;
      trial.float_score = 1;
      auto rows = static_cast<double>(output.rows);
      trial.figures.drop = 1 - static_cast<double>(output.agreeing) / rows;
      trial.figures.expected_drop = trial.figures.drop;
      trial.figures.standard_error = std::sqrt(trial.figures.drop * (1 - trial.figures.drop) / rows);
    } else {
      trial.target = TuneTarget::kError;
      trial.figures.drop = output_error(output);
      trial.figures.expected_drop = trial.figures.drop;
      trial.figures.divergence = trial.figures.drop * trial.figures.drop;
    }
    return trial;
  }

  void keep(Recipe recipe, Trial trial) {
    best_ = std::move(recipe);
    best_trial_ = std::move(trial);
  }

  /// Tries one recipe and keeps it where outputs move clearly less.
  Status try_improvement(Recipe recipe, const std::string& what) {
    ZP_ASSIGN_OR_RETURN(Trial tried, trial(recipe, data_, what));
    bool better =
        tried.error.empty() && tried.figures.divergence < (1 - kWorthIt) * best_trial_.figures.divergence;
    tell(what, tried, better || meets(tried));
    if (better || meets(tried)) {
      keep(std::move(recipe), std::move(tried));
    }
    return {};
  }

  /// What costs no bits: other ways to read ranges, then improvements, those that are learnt last.
  Status improve() {
    for (const char* calibrator : {"mse", "percentile"}) {
      Recipe recipe = best_;
      recipe.calibrator = calibrator;
      if (recipe.calibrator != best_.calibrator) {
        ZP_RETURN_IF_ERROR(try_improvement(std::move(recipe), fmt::format("ranges by {}", calibrator)));
        if (met()) {
          return {};
        }
      }
    }
    std::vector<std::string> names;
    for (const Improvement& improvement : improvements()) {
      names.emplace_back(improvement.name);
    }
    std::stable_partition(names.begin(), names.end(),
                          [&](const std::string& name) { return !is_learnt(name); });
    for (const std::string& name : names) {
      if (std::count(best_.improvements.begin(), best_.improvements.end(), name) > 0) {
        continue;
      }
      Recipe recipe = best_;
      recipe.improvements.push_back(name);
      ZP_RETURN_IF_ERROR(try_improvement(std::move(recipe), name));
      if (met()) {
        return {};
      }
    }
    return {};
  }

  /// The layers of the best network so far, the one that loses most first.
  Result<std::vector<LayerMeasurement>> layers() {
    ZP_ASSIGN_OR_RETURN(QuantizedNetwork network, quantizer_.quantize(best_));
    MeasureOptions how = options_.measure;
    how.use_labels = false;
    ZP_ASSIGN_OR_RETURN(Measurement measurement, measure(network.improved, network.graph, few_, how));
    std::vector<LayerMeasurement> found;
    std::set<std::string> nodes;
    for (LayerMeasurement& layer : measurement.layers) {
      if (!layer.only_moves && !layer.node.empty() && std::isfinite(layer.isolated.sqnr_db) &&
          nodes.insert(layer.node).second) {
        found.push_back(std::move(layer));
      }
    }
    std::stable_sort(found.begin(), found.end(), [](const LayerMeasurement& a, const LayerMeasurement& b) {
      return a.isolated.sqnr_db < b.isolated.sqnr_db;
    });
    found.resize(std::min(found.size(), kMostCandidates));
    return found;
  }

  /// The node that gives a tensor and those that read it: a product reads what it wishes, whoever gives it.
  static std::vector<RecipeOverride> around(const LayerMeasurement& layer, QuantizedType type) {
    std::set<std::string> names(layer.readers.begin(), layer.readers.end());
    names.insert(layer.node);
    std::vector<RecipeOverride> wishes;
    for (const std::string& name : names) {
      wishes.push_back({.nodes = name, .activations = type});
    }
    return wishes;
  }

  static std::vector<Raise> raises_of(const LayerMeasurement& layer) {
    double all = layer.clipping + layer.rounding + layer.constants;
    std::vector<Raise> raises;
    if (layer.is_quantized && layer.bits < 16 && layer.clipping + layer.rounding > kPart * all) {
      raises.push_back({layer.tensor + ": int16", around(layer, {16, true}), 0});
    }
    if (layer.weights && layer.constants > kPart * all) {
      raises.push_back({layer.node + ": 16-bit weights", {{.nodes = layer.node, .weight_bits = 16}}, 0});
    }
    return raises;
  }

  [[nodiscard]] Recipe with(const std::vector<Raise>& raises, std::size_t count) const {
    Recipe recipe = best_;
    for (std::size_t i = 0; i < count; ++i) {
      recipe.overrides.insert(recipe.overrides.end(), raises[i].wishes.begin(), raises[i].wishes.end());
    }
    return recipe;
  }

  /// Orders raises by what one alone gains for its bits; those that gain nothing are left out. Improvements
  /// that are learnt would take long each time, and change little in the order.
  Result<std::vector<Raise>> ranked(std::vector<Raise> raises) {
    Recipe quick = best_;
    std::erase_if(quick.improvements, is_learnt);
    ZP_ASSIGN_OR_RETURN(Trial basis, trial(quick, few_, "sensitivity"));
    std::vector<Raise> useful;
    for (Raise& raise : raises) {
      Recipe recipe = quick;
      recipe.overrides.insert(recipe.overrides.end(), raise.wishes.begin(), raise.wishes.end());
      ZP_ASSIGN_OR_RETURN(Trial tried, trial(recipe, few_, "sensitivity: " + raise.what));
      double cost = tried.figures.bits - basis.figures.bits;
      double gain = basis.figures.divergence - tried.figures.divergence;
      if (tried.error.empty() && gain > 0 && cost > 0) {
        raise.gain_per_bit = gain / cost;
        useful.push_back(std::move(raise));
      }
    }
    std::stable_sort(useful.begin(), useful.end(),
                     [](const Raise& a, const Raise& b) { return a.gain_per_bit > b.gain_per_bit; });
    return useful;
  }

  /// Keeps the shortest beginning of `raises` that meets the target, or all of them where none does and it
  /// helps. Bisects: more bits mostly lose less.
  Status raise_until_met(const std::vector<Raise>& raises) {
    if (raises.empty()) {
      return {};
    }
    auto text = [&](std::size_t count) { return fmt::format("{} of {} raised", count, raises.size()); };
    ZP_ASSIGN_OR_RETURN(Trial all, trial(with(raises, raises.size()), data_, text(raises.size())));
    bool helps = all.error.empty() && all.figures.divergence < best_trial_.figures.divergence;
    tell(text(raises.size()), all, helps);
    if (!meets(all)) {
      if (helps) {
        note_raised(raises, raises.size());
        keep(with(raises, raises.size()), std::move(all));
      }
      return {};
    }
    std::size_t too_few = 0;
    std::size_t enough = raises.size();
    Trial enough_trial = all;
    while (enough - too_few > 1) {
      std::size_t middle = (too_few + enough) / 2;
      ZP_ASSIGN_OR_RETURN(Trial tried, trial(with(raises, middle), data_, text(middle)));
      tell(text(middle), tried, meets(tried));
      if (meets(tried)) {
        enough = middle;
        enough_trial = std::move(tried);
      } else {
        too_few = middle;
      }
    }
    std::vector<Raise> needed(raises.begin(), raises.begin() + static_cast<std::ptrdiff_t>(enough));
    ZP_RETURN_IF_ERROR(take_back(needed, enough_trial));
    note_raised(needed, needed.size());
    keep(with(needed, needed.size()), std::move(enough_trial));
    return {};
  }

  /// Takes back raises that turn out not to be needed beside the others, those that gain least first. The
  /// last one is needed: without it the target was missed.
  Status take_back(std::vector<Raise>& raises, Trial& outcome) {
    for (std::size_t i = raises.size(); i-- > 1;) {
      std::vector<Raise> fewer = raises;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i - 1));
      std::string what = "without " + raises[i - 1].what;
      ZP_ASSIGN_OR_RETURN(Trial tried, trial(with(fewer, fewer.size()), data_, what));
      tell(what, tried, meets(tried));
      if (meets(tried)) {
        raises = std::move(fewer);
        outcome = std::move(tried);
      }
    }
    return {};
  }

  void note_raised(const std::vector<Raise>& raises, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      result_.raised.push_back(raises[i].what);
    }
  }

  Status raise_bits() {
    ZP_ASSIGN_OR_RETURN(std::vector<LayerMeasurement> found, layers());
    std::vector<Raise> raises;
    for (const LayerMeasurement& layer : found) {
      std::vector<Raise> own = raises_of(layer);
      raises.insert(raises.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
    }
    ZP_ASSIGN_OR_RETURN(raises, ranked(std::move(raises)));
    return raise_until_met(raises);
  }

  Status leave_in_float() {
    ZP_ASSIGN_OR_RETURN(std::vector<LayerMeasurement> found, layers());
    std::vector<Raise> raises;
    for (const LayerMeasurement& layer : found) {
      raises.push_back({layer.node + ": float", {{.nodes = layer.node, .in_float = true}}, 0});
    }
    return raise_until_met(raises);
  }

  Result<TuneResult> finish() {
    ZP_ASSIGN_OR_RETURN(result_.network, quantizer_.quantize(best_));
    result_.recipe = std::move(best_);
    result_.figures = best_trial_.figures;
    result_.target = best_trial_.target;
    result_.float_score = best_trial_.float_score;
    result_.drop_bound = bound(best_trial_);
    result_.met = met();
    return std::move(result_);
  }

  NetworkQuantizer& quantizer_;
  const Graph& prepared_;
  std::vector<std::shared_ptr<const Dataset>> data_;
  std::vector<std::shared_ptr<const Dataset>> few_;
  const TuneOptions& options_;
  Trials trials_;
  std::int64_t known_ = 0;
  Recipe best_;
  Trial best_trial_;
  TuneResult result_;
};

}  // namespace

std::string_view name_of(TuneTarget target) {
  switch (target) {
    case TuneTarget::kTop1:
      return "top-1";
    case TuneTarget::kPerplexity:
      return "perplexity";
    case TuneTarget::kAgreement:
      return "agreement";
    case TuneTarget::kError:
      return "error";
  }
  return "";
}

double drop_bound(const TuneFigures& figures, double confidence) {
  double low = 0;
  double high = 40;
  while (high - low > 1e-12) {
    double middle = (low + high) / 2;
    (1 - 0.5 * std::erfc(middle / std::numbers::sqrt2) < confidence ? low : high) = middle;
  }
  return std::max(figures.drop, figures.expected_drop + low * figures.standard_error);
}

Result<TuneResult> tune(NetworkQuantizer& quantizer, const Graph& prepared,
                        std::span<const std::shared_ptr<const Dataset>> data, const TuneOptions& options) {
  if (!(options.max_drop >= 0) || options.sensitivity_samples < 1) {
    return Status::invalid_argument(
        fmt::format("a drop of {} on {} samples cannot be aimed at; 0 or more on 1 or more is needed",
                    options.max_drop, options.sensitivity_samples));
  }
  if (!(options.confidence >= 0.5 && options.confidence < 1)) {
    return Status::invalid_argument(
        fmt::format("a confidence of {} cannot be had; it lies in [0.5, 1)", options.confidence));
  }
  return Tuner(quantizer, prepared, data, options).run();
}

}  // namespace zeropoint::toolchain
