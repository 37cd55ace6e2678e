// Before: y = f(x) where f gives its input as it is: Identity; Dropout in inference; Cast to the type of x;
//         Transpose that keeps the order; Reshape, Flatten, Squeeze, Unsqueeze, Expand, Tile, Slice, Pad
//         that keep the dims; Concat, Sum, Max, Min, Mean of one tensor; x * 1, x / 1, x + 0, x - 0.
// After:  whoever read y reads x.
// When:   dims and type of y are known to be those of x. Where y is an output of the graph, x must be made
//         by a node and be no output itself; it takes the name of y.
// Pads and slices that add as much as they take are told apart by their amounts.

#include <algorithm>

#include "simplify/bypass.h"
#include "simplify/graph_view.h"
#include "simplify/passes.h"

namespace zeropoint::toolchain {
namespace {

/// Whether an input of integers is a constant whose elements are all `value`.
bool is_all(const Graph& graph, const Node& node, std::size_t input, std::int64_t value) {
  const Tensor* constant = graph.constant(node, input);
  if (constant == nullptr || constant->type() != ElementType::kInt64) {
    return false;
  }
  std::span<const std::int64_t> elements = constant->data<std::int64_t>();
  return std::all_of(elements.begin(), elements.end(),
                     [&](std::int64_t element) { return element == value; });
}

bool keeps_order(const Node& node, std::size_t rank) {
  std::vector<std::int64_t> perm = ints_attribute(node, "perm");
  if (perm.empty()) {
    return rank < 2;
  }
  return std::is_sorted(perm.begin(), perm.end());
}

/// Whether a reshape that keeps the dims keeps the elements in place, which is so where at most one extent is
/// not known, or all symbols have names.
bool tells_dims(const Dims& dims) {
  return std::count_if(dims.begin(), dims.end(),
                       [](const Dim& dim) { return !dim.known() && dim.symbol.empty(); }) == 0;
}

/// The input that the node passes on.
ValueId passed_on(const Graph& graph, const GraphView& view, const Node& node) {
  bool passes = false;
  const std::optional<Dims>& x = graph.value(node.inputs[0]).dims;
  bool has_mask = node.outputs.size() > 1 && node.outputs[1] != kNoValue;
  switch (node.op) {
    case Op::kIdentity:
      passes = true;
      break;
    case Op::kDropout: {
      const Tensor* training = graph.constant(node, 2);
      passes = !has_mask && (!node.has_input(2) || (training != nullptr && training->size() == 1 &&
                                                    training->bytes()[0] == std::byte{0}));
      break;
    }
    case Op::kCast:
      passes = true;  // Bypass compares the types
      break;
    case Op::kTranspose:
      passes = x && keeps_order(node, x->size());
      break;
    case Op::kReshape:
    case Op::kFlatten:
    case Op::kSqueeze:
    case Op::kUnsqueeze:
    case Op::kExpand:
      passes = x && tells_dims(*x);
      break;
    case Op::kTile:
      passes = is_all(graph, node, 1, 1);
      break;
    case Op::kPad:
      passes = is_all(graph, node, 1, 0);
      break;
    case Op::kSlice:
      passes = x && has_known_extents(*x) && (!node.has_input(4) || is_all(graph, node, 4, 1));
      break;
    case Op::kConcat:
    case Op::kSum:
    case Op::kMax:
    case Op::kMin:
    case Op::kMean:
      passes = node.inputs.size() == 1;
      break;
    case Op::kMul:
    case Op::kAdd: {
      double neutral = node.op == Op::kMul ? 1 : 0;
      auto sides =
          either_way(node, [&](ValueId id) { return view.number(id) == static_cast<float>(neutral); });
      return sides ? sides->second : kNoValue;
    }
    case Op::kDiv:
      passes = view.number(node.inputs[1]) == 1.0F;
      break;
    case Op::kSub:
      passes = view.number(node.inputs[1]) == 0.0F;
      break;
    default:
      break;
  }
  return passes ? node.inputs[0] : kNoValue;
}

}  // namespace

std::size_t remove_identities(Graph& graph) {
  GraphView view(graph);  // asked for constants alone, which stay what they are
  Bypass bypass(graph);
  std::size_t removed = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].inputs.empty() || graph.nodes[i].outputs[0] == kNoValue) {
      continue;
    }
    ValueId x = passed_on(graph, view, graph.nodes[i]);
    if (x != kNoValue && bypass.add(graph.nodes[i].outputs[0], x)) {
      ++removed;
    }
  }
  bypass.apply();
  return removed;
}

}  // namespace zeropoint::toolchain
