#include "simplify/fold_constants.h"

#include <algorithm>

#include "graph/inference.h"

namespace zeropoint::toolchain {
namespace {

class Folding {
 public:
  Folding(Graph& graph, const FoldOptions& options, const std::vector<Elements>& elements)
      : graph_(graph), options_(options), elements_(elements) {}

  void run() {
    std::vector<Node> rest;
    for (Node& node : graph_.nodes) {
      if (!is_known(node) && !computed(node)) {
        rest.push_back(std::move(node));
      }
    }
    graph_.nodes = std::move(rest);
  }

 private:
  [[nodiscard]] bool is_fixed(ValueId id) const {
    bool variable = !options_.variable.empty() && options_.variable[static_cast<std::size_t>(id)];
    return graph_.value(id).constant != nullptr && !variable;
  }

  void set(ValueId id, Tensor tensor) {
    Value& value = graph_.value(id);
    value.type = tensor.type();
    value.dims = dims_of(tensor.shape());
    value.constant = std::make_shared<const Tensor>(std::move(tensor));
  }

  bool is_known(const Node& node) {
    if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) {
      return false;
    }
    auto index = static_cast<std::size_t>(node.outputs[0]);
    std::optional<Tensor> tensor = tensor_of(elements_[index], graph_.values[index]);
    if (tensor) {
      set(node.outputs[0], *std::move(tensor));
    }
    return tensor.has_value();
  }

  bool computed(const Node& node) {
    bool known = std::all_of(node.inputs.begin(), node.inputs.end(),
                             [&](ValueId input) { return input == kNoValue || is_fixed(input); });
    if (!known || sum_ > options_.largest_sum ||
        (options_.keep_dequantized && node.op == Op::kDequantizeLinear)) {
      return false;
    }
    std::vector<const Tensor*> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      inputs.push_back(graph_.constant(node, i));
    }
    OperatorCall call(node.op, node.attributes, inputs, node.outputs.size(), options_.largest_result);
    Result<std::vector<Tensor>> outputs = evaluate(call);
    if (!outputs.ok()) {
      return false;
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] != kNoValue) {
        sum_ += (*outputs)[i].byte_size();
        set(node.outputs[i], std::move((*outputs)[i]));
      }
    }
    return true;
  }

  Graph& graph_;
  const FoldOptions& options_;
  const std::vector<Elements>& elements_;
  std::size_t sum_ = 0;  // of the bytes that were computed
};

}  // namespace

Status fold_constants(Graph& graph, const FoldOptions& options) {
  ZP_ASSIGN_OR_RETURN(std::vector<Elements> elements, infer_shapes_and_elements(graph));
  Folding(graph, options, elements).run();
  return infer_shapes(graph);
}

}  // namespace zeropoint::toolchain
