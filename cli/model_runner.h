#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/program.h"
#include "zeropoint/requantize.h"
#include "zeropoint/status.h"
#include "zeropoint/toolchain/evaluate.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::cli {

enum class Engine { kAuto, kFloat, kInteger };

/// A graph as integer operations, and what to call that.
struct IntegerEngine {
  std::string name;  ///< with the number of nodes that stay in float32, if any
  std::shared_ptr<const Program> program;
};
Result<IntegerEngine> integer_engine(const toolchain::Graph& graph, RequantizeMode mode);

/// A graph made ready to be evaluated.
struct Runner {
  std::string engine;  ///< "float32", "integers, float multiplier", ...
  toolchain::Model model;
};

/// kAuto runs graphs in QDQ form as integers and others in float, those too whose weights alone are quantized
/// or whose products are MatMulInteger.
Result<Runner> make_runner(const toolchain::Graph& graph, Engine engine, RequantizeMode mode, int threads);

/// A graph made ready to be run once.
struct Session {
  std::string engine;
  /// One tensor per input of the graph to one per output. A graph for batches of one size takes any multiple.
  std::function<Result<std::vector<Tensor>>(std::span<const Tensor> inputs)> run;
};

/// As make_runner(), for graphs of any number of inputs and outputs.
Result<Session> make_session(const toolchain::Graph& graph, Engine engine, RequantizeMode mode, int threads);

/// Of a program with the inputs and outputs of `graph`.
Result<Session> session_of(const toolchain::Graph& graph, IntegerEngine engine, int threads);

/// Evaluates `runner` over all of `data`, which has a data set for each input, with a progress bar called
/// `label`.
Result<toolchain::Evaluation> evaluate_with_progress(
    const Runner& runner, std::span<const std::shared_ptr<const toolchain::Dataset>> data,
    const toolchain::EvaluationOptions& options, const std::string& label);

/// True when the graph has QuantizeLinear nodes.
bool is_quantized(const toolchain::Graph& graph);
/// What running a graph in float is called: "float32", and what there is of quantization in it.
std::string float_engine_name(const toolchain::Graph& graph);

}  // namespace zeropoint::cli
