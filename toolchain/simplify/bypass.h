#pragma once

#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Values whose readers read another one instead. Nodes keep their inputs until apply(), so that a pass asks
/// resolved() what a node will read; all of it takes time in proportion to the graph.
class Bypass {
 public:
  explicit Bypass(Graph& graph);

  /// Readers of `from` will read `to`, which must hold the same elements under the same dims, be of the same
  /// type and, where the graph gives `from`, be made by a node and not given itself: it then takes the name
  /// of `from`. False, and nothing done, where that is not so.
  bool add(ValueId from, ValueId to);

  /// What a reader of `id` will read.
  ValueId resolved(ValueId id);
  /// The node that will make what a reader of `id` reads; nullptr for inputs, constants and kNoValue.
  const Node* maker(ValueId id);

  /// Changes the inputs of all nodes.
  void apply();

 private:
  Graph& graph_;
  std::vector<std::int32_t> makers_;
  std::vector<bool> is_output_;
  std::vector<ValueId> instead_;  ///< the value itself where it is not bypassed
};

}  // namespace zeropoint::toolchain
