#include "float/run_nodes.h"

#include <algorithm>
#include <optional>

namespace zeropoint::toolchain {
namespace {

class NodeRun {
 public:
  NodeRun(const Graph& graph, const ValueObserver* observer)
      : graph_(graph), observer_(observer), made_(graph.values.size()), uses_(graph.values.size(), 0) {
    for (const Node& node : graph.nodes) {
      for (ValueId input : node.inputs) {
        uses_[index(input == kNoValue ? 0 : input)] += input == kNoValue ? 0 : 1;
      }
    }
    for (ValueId output : graph.outputs) {
      ++uses_[index(output)];
    }
  }

  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      ZP_RETURN_IF_ERROR(make(graph_.inputs[i], inputs[i]));
    }
    for (const Node& node : graph_.nodes) {
      ZP_RETURN_IF_ERROR(run_node(node).at(describe(node)));
    }
    std::vector<Tensor> outputs;
    for (ValueId output : graph_.outputs) {
      outputs.push_back(*tensor(output));
    }
    return outputs;
  }

 private:
  static std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }

  [[nodiscard]] const Tensor* tensor(ValueId id) const {
    return made_[index(id)] ? &*made_[index(id)] : graph_.value(id).constant.get();
  }

  Status make(ValueId id, Tensor tensor) {
    made_[index(id)] = std::move(tensor);
    bool seen =
        observer_ != nullptr &&
        (observer_->values.empty() || std::count(observer_->values.begin(), observer_->values.end(), id) > 0);
    return seen ? observer_->on_value(id, *made_[index(id)]) : Status();
  }

  Status run_node(const Node& node) {
    std::vector<const Tensor*> inputs;
    for (ValueId input : node.inputs) {
      inputs.push_back(input == kNoValue ? nullptr : tensor(input));
    }
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs,
                        evaluate(OperatorCall(node.op, node.attributes, inputs, node.outputs.size())));
    for (ValueId input : node.inputs) {
      if (input != kNoValue && --uses_[index(input)] == 0) {
        made_[index(input)].reset();
      }
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] != kNoValue) {
        ZP_RETURN_IF_ERROR(make(node.outputs[i], std::move(outputs[i])));
      }
    }
    return {};
  }

  const Graph& graph_;
  const ValueObserver* observer_;
  std::vector<std::optional<Tensor>> made_;  // per value, while something will still read it
  std::vector<int> uses_;
};

}  // namespace

Result<std::vector<Tensor>> run_nodes(const Network& network, std::span<const Tensor> inputs,
                                      const ValueObserver* observer) {
  return NodeRun(network.graph, observer).run(inputs);
}

}  // namespace zeropoint::toolchain
