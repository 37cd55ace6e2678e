// The ONNX reader, then what is done with a model that it reads: count, lower and run, quantize, write.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "compile/qdq_network_for_test.h"
#include "compile/random_networks_for_test.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/onnx.h"
#include "zeropoint/toolchain/profile.h"

using namespace zeropoint;
using namespace zeropoint::toolchain;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

/// Graphs that read: one with all the operators, and small random ones in float and quantized.
Graph good_graph(unsigned int seed) {
  Graph graph = qdq::network();
  if (seed % 3 != 0) {
    Result<random_networks::Quantized> random = random_networks::random_quantized(seed % 97);
    graph = seed % 3 == 1 ? random->real : random->graph;
  }
  (void)infer_shapes(graph);
  return graph;
}

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

Result<Graph> read(std::string_view content) { return read_onnx(std::as_bytes(std::span(content)), "fuzz"); }

/// A shape for two samples.
Shape closed(Shape shape) {
  std::replace(shape.begin(), shape.end(), kOpenExtent, std::int64_t{2});
  return shape;
}

/// Small enough to run: elements alone do not say how long a window takes.
bool is_small(const Program& program, std::int64_t cost) {
  std::int64_t total = cost;
  for (const TensorInfo& tensor : program.tensors) {
    if (!tensor.shape) {
      return false;
    }
    std::int64_t count = *element_count(closed(*tensor.shape));
    if (count > 100000) {
      return false;
    }
    total += count;
  }
  return total < 1000000;
}

void lower_and_run(const Graph& graph, std::int64_t cost) {
  for (RequantizeMode mode : {RequantizeMode::kFloat, RequantizeMode::kFixedPoint}) {
    Result<Lowering> lowered = lower(graph, mode);
    if (!lowered.ok() || !is_small(lowered->program, cost)) {
      continue;
    }
    const Program& program = lowered->program;
    std::vector<Tensor> inputs;
    for (TensorId id : program.inputs) {
      inputs.emplace_back(program.tensor(id).type, closed(*program.tensor(id).shape));
    }
    // Shapes that only a run shows may not fit each other; that is an error and no crash.
    (void)run_reference(program, inputs);
  }
}

void quantize_and_lower(const Graph& graph) {
  RangeTable ranges{"fuzz", 1, "", {}};
  for (const Value& value : graph.values) {
    ranges.ranges[value.name] = {-1, 1};
  }
  Recipe recipe;
  recipe.activations.bits = 5;
  Result<QuantPlan> plan = make_plan(graph, ranges, recipe);
  if (plan.ok()) {
    Result<Graph> applied = apply_plan(graph, *plan);
    if (applied.ok()) {
      (void)lower(*applied, RequantizeMode::kFloat);
    }
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  if (size < 8) {
    std::string good = *to_onnx(good_graph(seed));
    if (good.size() <= max_size) {
      size = good.size();
      std::memcpy(data, good.data(), size);
    }
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Result<Graph> graph = read({reinterpret_cast<const char*>(data), size});
  if (!graph.ok()) {
    return 0;
  }
  Result<Profile> cost = profile(*graph);
  lower_and_run(*graph, cost.ok() ? cost->flops : INT32_MAX);
  quantize_and_lower(*graph);
  // What was read can be written and read again. ONNX wants the graph to have a name, so the writer gives
  // one.
  graph->name = graph->name.empty() ? "graph" : graph->name;
  Result<std::string> written = to_onnx(*graph);
  require(written.ok());
  Result<Graph> again = read(*written);
  require(again.ok() && print(*again) == print(*graph));
  return 0;
}
