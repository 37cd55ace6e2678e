#include "simplify/bypass.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace zeropoint::toolchain {

Bypass::Bypass(Graph& graph)
    : graph_(graph),
      makers_(producers(graph)),
      is_output_(graph.values.size(), false),
      instead_(graph.values.size()) {
  std::iota(instead_.begin(), instead_.end(), ValueId{0});
  for (ValueId output : graph.outputs) {
    is_output_[static_cast<std::size_t>(output)] = true;
  }
}

ValueId Bypass::resolved(ValueId id) {
  // Values that were added since are constants, and stay what they are.
  if (id == kNoValue || static_cast<std::size_t>(id) >= instead_.size()) {
    return id;
  }
  ValueId last = id;
  while (instead_[static_cast<std::size_t>(last)] != last) {
    last = instead_[static_cast<std::size_t>(last)];
  }
  while (id != last) {  // the way is shorter the next time
    id = std::exchange(instead_[static_cast<std::size_t>(id)], last);
  }
  return last;
}

const Node* Bypass::maker(ValueId id) {
  id = resolved(id);
  bool known = id != kNoValue && static_cast<std::size_t>(id) < makers_.size();
  std::int32_t node = known ? makers_[static_cast<std::size_t>(id)] : -1;
  return node < 0 ? nullptr : &graph_.nodes[static_cast<std::size_t>(node)];
}

bool Bypass::add(ValueId from, ValueId to) {
  to = resolved(to);
  const Value& old_value = graph_.value(from);
  const Value& new_value = graph_.value(to);
  if (old_value.type != new_value.type || !old_value.dims || old_value.dims != new_value.dims) {
    return false;
  }
  auto of = [](ValueId id) { return static_cast<std::size_t>(id); };
  if (is_output_[of(from)]) {
    std::int32_t maker = makers_[of(to)];
    if (maker < 0 || is_output_[of(to)]) {
      return false;
    }
    std::vector<ValueId>& left = graph_.nodes[of(makers_[of(from)])].outputs;
    std::vector<ValueId>& made = graph_.nodes[of(maker)].outputs;
    std::replace(left.begin(), left.end(), from, kNoValue);
    std::replace(made.begin(), made.end(), to, from);
    makers_[of(from)] = maker;
    makers_[of(to)] = -1;
    std::swap(from, to);
  }
  instead_[of(from)] = to;
  return true;
}

void Bypass::apply() {
  for (Node& node : graph_.nodes) {
    for (ValueId& input : node.inputs) {
      input = resolved(input);
    }
  }
}

}  // namespace zeropoint::toolchain
