#include "float/network.h"

#include <omp.h>

#include <exception>
#include <new>
#include <string>

#include "simplify/fold_constants.h"

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
  FoldOptions options;
  options.keep_dequantized = false;
  options.largest_result = std::size_t{1} << 40;
  for (const Parameter* parameter : network.parameter_of) {
    options.variable.push_back(parameter != nullptr);
  }
  return fold_constants(network.graph, options);
}

}  // namespace zeropoint::toolchain
