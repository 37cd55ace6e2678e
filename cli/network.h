#pragma once

#include <memory>
#include <string>

#include "inputs.h"
#include "model_runner.h"
#include "zeropoint/program.h"
#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::cli {

/// A model as a graph, or as the program that was compiled from one.
struct Network {
  toolchain::Graph graph;  ///< of a program: its inputs and outputs, without nodes
  std::shared_ptr<const Program> program = nullptr;
};

/// What the file holds, told by its content: as load_model(), and programs (.zpm).
Result<Network> load_network(const ModelOptions& options);

/// "program in integers", or with how many of its operations in float32.
std::string engine_name(const Program& program);

/// As for graphs. kInvalidArgument where a program is asked to run in float32, or to requantize otherwise
/// than it was compiled to.
Result<Runner> make_runner(const Network& network, Engine engine, RequantizeMode mode, int threads);
Result<Session> make_session(const Network& network, Engine engine, RequantizeMode mode, int threads);

/// As for graphs.
Status select_output(Network& network, const std::string& name);
bool ends_in_softmax(const Network& network);

}  // namespace zeropoint::cli
