#pragma once

#include <string>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Divides the channels (last axis) of a computed tensor by changing constants of what makes it.
class ChannelDivider {
 public:
  explicit ChannelDivider(const Graph& graph);

  /// Why the channels of `value` cannot be divided by any numbers above 0; empty where they can.
  [[nodiscard]] std::string why_not(const Graph& graph, ValueId value) const;
  /// Divides them; only where why_not() is empty. `graph` is the one this was made for, other constants
  /// aside.
  void divide(Graph& graph, ValueId value, const std::vector<double>& divisors) const;

 private:
  /// The constants to divide, and the values that must have one reader each, on the way to them.
  struct Target {
    std::string why_not;
    std::vector<ValueId> constants;  ///< divided along their last axis
    const Node* layer = nullptr;     ///< or the rows of its weights, and its bias
  };
  [[nodiscard]] Target target_of(const Graph& graph, ValueId value, bool first) const;
  [[nodiscard]] Target target_of_product(const Graph& graph, const Node& node) const;
  [[nodiscard]] bool is_own(const Graph& graph, ValueId constant) const;

  std::vector<std::int32_t> producers_;
  std::vector<std::vector<std::int32_t>> consumers_;
};

}  // namespace zeropoint::toolchain
