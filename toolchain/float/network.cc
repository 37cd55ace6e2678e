#include "float/network.h"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <new>
#include <string>

#include "float/plan.h"

namespace zeropoint::toolchain {

ThreadScope::ThreadScope(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
ThreadScope::~ThreadScope() { omp_set_num_threads(before_); }

Status status_of_exception(std::string_view what) {
  std::string where(what);
  try {
    throw;
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) {
      return Status::resource_exhausted(where + ": not enough memory");
    }
    if (error.status == dnnl_unimplemented) {
      return Status::unsupported(where + ": " + error.what());
    }
    return Status::internal(where + ": " + error.what());
  } catch (const std::bad_alloc&) {
    return Status::resource_exhausted(where + ": not enough memory");
  } catch (const std::exception& error) {
    return Status::internal(where + ": " + error.what());
  }
}

Result<std::unique_ptr<Network>> make_network(const Graph& graph, int threads) {
  constexpr int kMostThreads = 1024;  // OpenMP would end the process over threads that cannot be had
  if (threads < 0 || threads > kMostThreads) {
    return Status::invalid_argument("the number of threads is " + std::to_string(threads) + "; 0 (all) to " +
                                    std::to_string(kMostThreads) + " is needed");
  }
  ZP_RETURN_IF_ERROR(verify(graph));
  auto network = std::make_unique<Network>();
  network->graph = graph;
  ZP_RETURN_IF_ERROR(infer_shapes(network->graph));
  network->parameter_of.resize(graph.values.size(), nullptr);
  network->threads = threads > 0 ? threads : omp_get_max_threads();
  return network;
}

Status fold_constant_nodes(Network& network) {
  Graph& graph = network.graph;
  std::vector<bool> fixed(graph.values.size());
  for (std::size_t i = 0; i < fixed.size(); ++i) {
    fixed[i] = network.is_constant(static_cast<ValueId>(i));
  }
  Network folding;
  folding.graph = graph;
  folding.graph.inputs.clear();
  folding.graph.outputs.clear();
  folding.graph.nodes.clear();
  folding.parameter_of.resize(graph.values.size(), nullptr);
  folding.threads = network.threads;
  std::vector<Node> rest;
  for (Node& node : graph.nodes) {
    bool known = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
      return input == kNoValue || fixed[static_cast<std::size_t>(input)];
    });
    if (!known) {
      rest.push_back(std::move(node));
      continue;
    }
    for (ValueId output : node.outputs) {
      fixed[static_cast<std::size_t>(output)] = true;
      folding.graph.outputs.push_back(output);
    }
    folding.graph.nodes.push_back(std::move(node));
  }
  graph.nodes = std::move(rest);
  if (folding.graph.nodes.empty()) {
    return {};
  }
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<Plan> plan, Plan::build(folding, {}, true));
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> results, plan->run({}, nullptr));
  for (std::size_t i = 0; i < results.size(); ++i) {
    Value& value = graph.value(folding.graph.outputs[i]);
    value.constant = std::make_shared<const Tensor>(std::move(results[i]));
  }
  return {};
}

}  // namespace zeropoint::toolchain
