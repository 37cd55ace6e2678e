#pragma once

// The whole of quantization: a float network, what calibration knows of it and a recipe go in; out come the
// plan, the network in QDQ form, its integer program, and what was done in words.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/calibrate.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/quantize.h"
#include "zeropoint/toolchain/simplify.h"

namespace zeropoint::toolchain {

/// Means of channels, by the names of tensors.
using ChannelMeans = std::map<std::string, std::vector<double>>;

/// A float network ready to be calibrated and quantized.
struct PreparedNetwork {
  Graph graph;
  std::vector<Simplification> passes;  ///< of simplify() that changed something
  ChannelMeans means;                  ///< as the BatchNormalizations say that may have been folded
};

/// Halves as float32, simplify() unless `keep`, constants separated by their use, a name of its own for
/// each node. kInvalidArgument where the
/// network is quantized already.
Result<PreparedNetwork> prepare_network(Graph graph, bool keep = false);

/// What is known of a prepared network besides itself.
struct Evidence {
  Statistics statistics;
  CalibrationMethod method;  ///< how ranges are read off the statistics
  /// The calibration samples, one data set per input of the network; empty where only the statistics are
  /// known. Improvements that need samples are refused then, and so are those after which statistics are
  /// gathered anew.
  std::vector<std::shared_ptr<const Dataset>> data;
  CalibrationOptions calibration;  ///< how statistics are gathered anew
  ChannelMeans means;              ///< PreparedNetwork::means: for tensors that statistics do not have
};

struct QuantizedNetwork {
  Graph improved;  ///< the float network, as improvements left it
  QuantPlan plan;
  Graph graph;  ///< in QDQ form
  Lowering lowering;
  std::vector<std::string> record;  ///< what was done, a sentence each
};

/// Quantizes one network by as many recipes as wanted. What recipes have in common is computed once: the
/// improvements before the plan, and the statistics after them. Not safe for concurrent use.
class NetworkQuantizer {
 public:
  NetworkQuantizer(Graph prepared, Evidence evidence);

  /// Improves the network, plans (make_plan()), improves constants by the plan, applies (apply_plan()) and
  /// lowers. Errors are those of these; kInvalidArgument for an improvement that does not exist, or that
  /// needs samples where there are none.
  Result<QuantizedNetwork> quantize(const Recipe& recipe);
  /// quantize(), and then the cheap part of what tune() does: layers of 8 bits that lose more than a
  /// hundredth of their signal's power by themselves, on the first few samples, get 16 bits, and the record
  /// says so. Kept where the network's output gains by it. The same as quantize() where the recipe does not
  /// protect, gives activations other than 8 static bits, or there are no samples.
  Result<QuantizedNetwork> quantize_and_cure(const Recipe& recipe);
  /// Follows a plan that was made before, edited or not: makes the improvements it names, and applies it.
  Result<QuantizedNetwork> apply(const QuantPlan& plan);

 private:
  /// The network and its statistics after the improvements that come before planning.
  struct Improved {
    Graph graph;
    Evidence evidence;
    std::vector<std::string> record;
  };
  Result<const Improved*> improved(const std::vector<std::string>& improvements);
  /// From the plan on: improves constants by it, applies and lowers.
  /// A plan that was made before holds what some of the improvements did.
  static Result<QuantizedNetwork> finish(const Improved& basis, QuantPlan plan, bool planned_before);

  Improved original_;
  std::map<std::vector<std::string>, Improved> improved_;  ///< by their names, in order
};

/// Whether a plan names improvements that it does not hold in scales and biases, so that they have to be made
/// again. kInvalidArgument for names that there are not.
Result<bool> needs_evidence(const QuantPlan& plan);

/// NetworkQuantizer::apply() for a plan that needs no evidence; kInvalidArgument for others.
Result<QuantizedNetwork> quantize_by_plan(const Graph& prepared, const QuantPlan& plan);

}  // namespace zeropoint::toolchain
