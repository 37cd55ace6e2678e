// Before: x * Sigmoid(x), x * Sigmoid(alpha * x)                 After: Swish (SiLU, QuickGelu)
//         x * Tanh(Softplus(x))                                         Mish
//         Clip(x + 3, 0, 6) / 6, or times 1/6                           HardSigmoid, alpha = 1/6, beta = 0.5
//         x * HardSigmoid(x) with alpha = 1/6, beta = 0.5               HardSwish
//         x * Clip(x + 3, 0, 6) / 6, in any grouping                    HardSwish
// When:   the constants are these to six digits.

#include "simplify/graph_view.h"
#include "simplify/passes.h"

namespace zeropoint::toolchain {
namespace {

constexpr double kSixth = 1.0 / 6.0;

/// x of Clip(x + 3, 0, 6).
std::optional<ValueId> shifted_relu6(const GraphView& view, ValueId id) {
  const Node* clip = view.maker(id, Op::kClip);
  bool to_six = clip != nullptr && clip->has_input(1) && clip->has_input(2) &&
                view.is_number(clip->inputs[1], 0) && view.is_number(clip->inputs[2], 6);
  const Node* add = to_six ? view.maker(clip->inputs[0], Op::kAdd) : nullptr;
  auto sides =
      add == nullptr ? std::nullopt : either_way(*add, [&](ValueId side) { return view.is_number(side, 3); });
  return sides ? std::optional(sides->second) : std::nullopt;
}

/// a of a / 6 or a * 1/6.
std::optional<ValueId> sixth_of(const GraphView& view, const Node& node) {
  if (node.op == Op::kDiv && view.is_number(node.inputs[1], 6)) {
    return node.inputs[0];
  }
  auto sides = node.op == Op::kMul ? either_way(node, [&](ValueId id) { return view.is_number(id, kSixth); })
                                   : std::nullopt;
  return sides ? std::optional(sides->second) : std::nullopt;
}

bool is_standard_hard_sigmoid(const Node& node) {
  double alpha = float_attribute(node, "alpha");
  double beta = float_attribute(node, "beta");
  return node.op == Op::kHardSigmoid && alpha > kSixth - 1e-6 && alpha < kSixth + 1e-6 && beta == 0.5;
}

/// x * gate(x) as one operator.
std::optional<Node> gated(const GraphView& view, const Node& mul, ValueId x, const Node& gate) {
  Node fused = mul;
  fused.inputs = {x};
  fused.attributes.clear();
  if (is_standard_hard_sigmoid(gate) && gate.inputs[0] == x) {
    fused.op = Op::kHardSwish;
    return fused;
  }
  if (gate.op == Op::kTanh) {
    const Node* softplus = view.maker(gate.inputs[0], Op::kSoftplus);
    fused.op = Op::kMish;
    return softplus != nullptr && softplus->inputs[0] == x ? std::optional(fused) : std::nullopt;
  }
  if (gate.op != Op::kSigmoid) {
    return std::nullopt;
  }
  fused.op = Op::kSwish;
  if (gate.inputs[0] == x) {
    return fused;
  }
  const Node* scaled = view.maker(gate.inputs[0], Op::kMul);
  auto sides =
      scaled == nullptr ? std::nullopt : either_way(*scaled, [&](ValueId side) { return side == x; });
  std::optional<float> alpha = sides ? view.number(sides->second) : std::nullopt;
  if (!alpha) {
    return std::nullopt;
  }
  fused.attributes["alpha"] = *alpha;
  return fused;
}

/// x of x * Clip(x + 3, 0, 6).
std::optional<ValueId> unscaled_hard_swish(const GraphView& view, ValueId id) {
  const Node* mul = view.maker(id, Op::kMul);
  for (std::size_t i = 0; mul != nullptr && i < 2; ++i) {
    if (shifted_relu6(view, mul->inputs[i]) == mul->inputs[1 - i]) {
      return mul->inputs[1 - i];
    }
  }
  return std::nullopt;
}

std::optional<Node> match(const GraphView& view, const Node& node) {
  if (std::optional<ValueId> a = sixth_of(view, node)) {
    Node fused = node;
    fused.attributes.clear();
    if (std::optional<ValueId> x = unscaled_hard_swish(view, *a)) {
      fused.op = Op::kHardSwish;
      fused.inputs = {*x};
      return fused;
    }
    if (std::optional<ValueId> x = shifted_relu6(view, *a)) {
      fused.op = Op::kHardSigmoid;
      fused.inputs = {*x};
      fused.attributes = {{"alpha", static_cast<float>(kSixth)}, {"beta", 0.5F}};
      return fused;
    }
  }
  for (std::size_t i = 0; node.op == Op::kMul && i < 2; ++i) {
    const Node* gate = view.maker(node.inputs[i]);
    std::optional<Node> fused = gate == nullptr ? std::nullopt : gated(view, node, node.inputs[1 - i], *gate);
    if (fused) {
      return fused;
    }
  }
  return std::nullopt;
}

}  // namespace

std::size_t fuse_activations(Graph& graph) {
  GraphView view(graph);
  std::size_t fused = 0;
  for (Node& node : graph.nodes) {
    std::optional<Node> replaced = match(view, node);
    if (replaced && view.have_one_rank(node.outputs[0], replaced->inputs[0])) {
      node = *std::move(replaced);
      ++fused;
    }
  }
  return fused;
}

}  // namespace zeropoint::toolchain
