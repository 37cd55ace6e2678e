// Before: Transpose after Transpose; Reshape, Flatten, Squeeze or Unsqueeze after another of them; Relu after
//         Relu; Neg after Neg.
// After:  one Transpose of both orders; one Reshape to the last dims; one Relu; nothing.
// When:   the dims of the last are known but for one extent (Reshape). The first of the two stays where
//         others read it.
// perm(i) = first[second(i)].

#include <algorithm>
#include <numeric>

#include "simplify/bypass.h"
#include "simplify/graph_view.h"
#include "simplify/passes.h"

namespace zeropoint::toolchain {
namespace {

std::vector<std::int64_t> order_of(const Node& transpose, std::size_t rank) {
  std::vector<std::int64_t> perm = ints_attribute(transpose, "perm");
  if (perm.empty()) {
    perm.resize(rank);
    std::iota(perm.rbegin(), perm.rend(), 0);
  }
  return perm;
}

bool only_reshapes(const Node& node) {
  return node.op == Op::kReshape || node.op == Op::kFlatten || node.op == Op::kSqueeze ||
         node.op == Op::kUnsqueeze;
}

bool merge_transposes(const Graph& graph, const Node& first, Node& second) {
  const std::optional<Dims>& dims = graph.value(second.inputs[0]).dims;
  if (!dims) {
    return false;
  }
  std::vector<std::int64_t> inner = order_of(first, dims->size());
  std::vector<std::int64_t> outer = order_of(second, dims->size());
  std::vector<std::int64_t> both;
  for (std::int64_t axis : outer) {
    both.push_back(inner[static_cast<std::size_t>(axis)]);
  }
  second.attributes["perm"] = both;
  second.inputs[0] = first.inputs[0];
  return true;
}

bool merge_reshapes(Graph& graph, NewNames& names, const Node& first, std::size_t second) {
  const std::optional<Dims>& dims = graph.value(graph.nodes[second].outputs[0]).dims;
  if (!dims) {
    return false;
  }
  std::vector<std::int64_t> shape;
  for (const Dim& dim : *dims) {
    shape.push_back(dim.known() ? dim.extent : -1);
  }
  bool said =
      std::count(shape.begin(), shape.end(), -1) <= 1 && std::count(shape.begin(), shape.end(), 0) == 0;
  if (!said) {
    return false;
  }
  ValueId x = first.inputs[0];
  ValueId constant = graph.add_constant(names.take(graph.nodes[second].name + "_shape"),
                                        Tensor::of<std::int64_t>({std::ssize(shape)}, shape));
  Node& node = graph.nodes[second];
  node.op = Op::kReshape;
  node.attributes.clear();
  node.inputs = {x, constant};
  return true;
}

}  // namespace

std::size_t cancel_pairs(Graph& graph) {
  std::size_t changes = 0;
  NewNames names(graph);
  Bypass bypass(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    const Node* first = node.inputs.empty() ? nullptr : bypass.maker(node.inputs[0]);
    if (first == nullptr) {
      continue;
    }
    bool changed = false;
    if (node.op == Op::kTranspose && first->op == Op::kTranspose) {
      changed = merge_transposes(graph, *first, node);
    } else if (only_reshapes(node) && only_reshapes(*first)) {
      changed = merge_reshapes(graph, names, *first, i);
    } else if (node.op == Op::kRelu && first->op == Op::kRelu) {
      changed = bypass.add(node.outputs[0], node.inputs[0]);
    } else if (node.op == Op::kNeg && first->op == Op::kNeg) {
      changed = bypass.add(node.outputs[0], first->inputs[0]);
    }
    changes += changed ? 1 : 0;
  }
  bypass.apply();
  return changes;
}

}  // namespace zeropoint::toolchain
