#pragma once

// Looks for the cheapest recipe that loses no more than is allowed: improvements first, then more bits for
// the layers that lose most, floats as the last resort. docs/tune.md describes the search.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/measure.h"
#include "zeropoint/toolchain/quantize_network.h"
#include "zeropoint/toolchain/recipe.h"

namespace zeropoint::toolchain {

/// What a drop is measured in.
enum class TuneTarget : std::uint8_t {
  kTop1,        ///< right answers, as a share of all: float less quantized
  kPerplexity,  ///< of language models: how much larger it is, as a share of the float network's
  kAgreement,   ///< without labels: the share of samples whose first class is another
  kError,       ///< outputs that are no scores: the error's length as a share of the output's
};
std::string_view name_of(TuneTarget target);

/// What one recipe comes to on the tuning samples.
struct TuneFigures {
  double drop = 0;  ///< in the target's measure, as counted; 0.005 is half a percent
  /// What the outputs say of the drop without the labels, which is surer than a count; see docs/tune.md.
  double expected_drop = 0;
  double standard_error = 0;  ///< of `expected_drop`
  double divergence = 0;  ///< how far outputs moved: see OutputMeasurement, or the error's energy for kError
  double bits = 0;        ///< network_bits()
};

/// A recipe that was tried.
struct TuneStep {
  std::string what;
  TuneFigures figures;
  bool kept = false;
  bool met = false;
  std::string error;      ///< why it could not be tried; empty: it was
  double drop_bound = 0;  ///< the larger of the drop and what it could be, as sure as was asked
};

struct TuneOptions {
  Recipe start;
  double max_drop = 0.01;  ///< 0.01: one percent
  /// How sure it must be that no more is lost, one-sided, in [0.5, 1): 0.5 is content with the estimate.
  double confidence = 0.9;
  bool is_text = false;  ///< with labels: perplexity is the target, not top-1
  /// Labels, threads; its progress is called during each trial.
  MeasureOptions measure;
  /// Layers are put in order on the first so many samples.
  std::int64_t sensitivity_samples = 32;
  /// What an earlier search of the same network, samples and start left behind, to go on from it; or empty.
  std::string state;
  /// Identifies network and samples in the state.
  std::string subject;
  /// Called with the state after each trial, to be kept.
  std::function<Status(const std::string& state)> save;
  std::function<void(const TuneStep& step)> on_step;
  /// Called before each trial, with what it is.
  std::function<void(const std::string& what)> on_trial;
  /// Asked between trials: true ends the search with an error; the state has all trials so far.
  std::function<bool()> stop;
};

struct TuneResult {
  Recipe recipe;
  QuantizedNetwork network;
  TuneFigures figures;
  TuneTarget target = TuneTarget::kTop1;
  bool met = false;
  double drop_bound = 0;            ///< what the drop stays below, as sure as was asked
  double float_score = 0;           ///< in the target's measure: top-1, perplexity, 1 for agreement
  std::vector<TuneStep> steps;      ///< in order, those of sensitivity left out
  std::vector<std::string> raised;  ///< layers with more bits, or in float: "conv1: int16 activations"
  std::int64_t trials = 0;          ///< networks that were quantized and run
  std::int64_t known = 0;           ///< of these, known from the state
};

/// Searches. `prepared` is the float network as prepare_network() leaves it and `quantizer` was made from it;
/// `data` are the tuning samples, one data set per input. kInvalidArgument for a state of another network or
/// samples; otherwise the errors of the start recipe. A later recipe that fails is a step with an error.
Result<TuneResult> tune(NetworkQuantizer& quantizer, const Graph& prepared,
                        std::span<const std::shared_ptr<const Dataset>> data, const TuneOptions& options);

/// The cost of a network: the bits of its weights, and of the tensors that one sample makes. What the plan
/// does not decide counts as 32 bits.
double network_bits(const Graph& improved, const QuantPlan& plan);

/// What a drop stays below with that confidence: the larger of the drop that was counted, and of
///     expected_drop + z standard_error,    z the normal distribution's quantile of `confidence`.
double drop_bound(const TuneFigures& figures, double confidence);

}  // namespace zeropoint::toolchain
