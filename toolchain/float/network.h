#pragma once

#include <dnnl.hpp>
#include <memory>
#include <mutex>
#include <string_view>
#include <type_traits>
#include <vector>

#include "float/primitives.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/parameter.h"

namespace zeropoint::toolchain {

/// Sets how many threads oneDNN and OpenMP use from here to the end of the scope. Primitives must be made and
/// run under the same number, which also decides in which order sums are formed.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;
  ~ThreadScope();

 private:
  int before_;
};

/// Constants in the layouts in which primitives read them.
struct LaidOutConstants {
  struct Entry {
    ValueId value;
    MemoryDesc read_as;
    dnnl::memory memory;
  };
  std::mutex mutex;  ///< of the list; what is in it does not change
  std::vector<Entry> entries;
};

/// A graph made ready to be prepared for concrete shapes, and what all its preparations share.
struct Network {
  Graph graph;                           ///< shapes inferred, nodes of constants alone folded away
  std::vector<Parameter*> parameter_of;  ///< per value: set where it is being trained
  int threads = 1;
  bool training = false;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  /// Networks of one graph in several threads share them.
  std::shared_ptr<LaidOutConstants> constants = std::make_shared<LaidOutConstants>();

  [[nodiscard]] Parameter* parameter(ValueId id) const { return parameter_of[static_cast<std::size_t>(id)]; }
  /// True where the value never changes.
  [[nodiscard]] bool is_constant(ValueId id) const {
    return graph.value(id).constant != nullptr && parameter(id) == nullptr;
  }
};

/// Verifies, infers shapes, folds. `threads` as in FloatOptions.
Result<std::unique_ptr<Network>> make_network(const Graph& graph, int threads);

/// Computes the nodes that depend on constants alone, and removes them from the network's graph.
Status fold_constant_nodes(Network& network);

/// The Status of the exception being handled; `what` names the work.
Status status_of_exception(std::string_view what);

/// The Status or Result of `function`, or the Status of the exception it ended with.
template <typename Function>
auto guarded(std::string_view what, Function&& function) -> std::invoke_result_t<Function> {
  try {
    return function();
  } catch (...) {
    return status_of_exception(what);
  }
}

}  // namespace zeropoint::toolchain
