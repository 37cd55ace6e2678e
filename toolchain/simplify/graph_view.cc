#include "simplify/graph_view.h"

#include <algorithm>
#include <cmath>

#include "simplify/remove_unread.h"

namespace zeropoint::toolchain {

GraphView::GraphView(const Graph& graph)
    : graph_(&graph),
      producers_(producers(graph)),
      readers_(graph.values.size(), 0),
      is_output_(graph.values.size(), false) {
  for (const Node& node : graph.nodes) {
    for (ValueId input : node.inputs) {
      if (input != kNoValue) {
        ++readers_[static_cast<std::size_t>(input)];
      }
    }
  }
  for (ValueId output : graph.outputs) {
    is_output_[static_cast<std::size_t>(output)] = true;
  }
}

const Node* GraphView::maker(ValueId id) const {
  // Values that were added since are constants.
  bool known = id != kNoValue && static_cast<std::size_t>(id) < producers_.size();
  std::int32_t node = known ? producers_[static_cast<std::size_t>(id)] : -1;
  return node < 0 ? nullptr : &graph_->nodes[static_cast<std::size_t>(node)];
}

const Node* GraphView::maker(ValueId id, Op op) const {
  const Node* node = maker(id);
  return node != nullptr && node->op == op ? node : nullptr;
}

bool GraphView::has_one_reader(ValueId id) const {
  return readers_[static_cast<std::size_t>(id)] == 1 && !is_output(id);
}

bool GraphView::is_widely_shared(ValueId id) const {
  constexpr std::size_t kMostCopies = 16;
  return static_cast<std::size_t>(id) < readers_.size() &&
         readers_[static_cast<std::size_t>(id)] > kMostCopies;
}

bool GraphView::have_one_rank(ValueId a, ValueId b) const {
  const std::optional<Dims>& first = graph_->value(a).dims;
  const std::optional<Dims>& second = graph_->value(b).dims;
  return first && second && first->size() == second->size();
}

const Tensor* GraphView::floats(ValueId id) const {
  const Tensor* constant = id == kNoValue ? nullptr : graph_->value(id).constant.get();
  return constant != nullptr && constant->type() == ElementType::kFloat32 ? constant : nullptr;
}

std::optional<float> GraphView::number(ValueId id) const {
  const Tensor* constant = floats(id);
  return constant != nullptr && constant->size() == 1 ? std::optional(constant->data<float>()[0])
                                                      : std::nullopt;
}

bool GraphView::is_number(ValueId id, double value) const {
  std::optional<float> held = number(id);
  return held && std::abs(*held - value) <= 1e-6 * std::max(1.0, std::abs(value));
}

void NewNames::fill() {
  if (taken_.empty()) {
    for (const Value& value : graph_->values) {
      taken_.emplace(value.name, 1);
    }
  }
}

bool NewNames::is_taken(const std::string& name) {
  fill();
  return taken_.count(name) != 0;
}

std::string NewNames::take(const std::string& name) {
  fill();
  auto [known, is_new] = taken_.emplace(name, 1);
  if (is_new) {
    return name;
  }
  for (int& last = known->second;;) {
    std::string numbered = name + "_" + std::to_string(++last);
    if (taken_.emplace(numbered, 1).second) {
      return numbered;
    }
  }
}

void remove_dead(Graph& graph) {
  std::vector<bool> read(graph.values.size(), false);
  for (ValueId output : graph.outputs) {
    read[static_cast<std::size_t>(output)] = true;
  }
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    bool needed = std::any_of(node->outputs.begin(), node->outputs.end(), [&](ValueId output) {
      return output != kNoValue && read[static_cast<std::size_t>(output)];
    });
    if (!needed) {
      continue;
    }
    for (ValueId input : node->inputs) {
      if (input != kNoValue) {
        read[static_cast<std::size_t>(input)] = true;
      }
    }
    kept.push_back(std::move(*node));
  }
  graph.nodes.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  remove_unread_values(graph);
}

}  // namespace zeropoint::toolchain
