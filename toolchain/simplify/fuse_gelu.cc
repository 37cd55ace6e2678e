// Before: x * 0.5 * (1 + Erf(x / sqrt(2)))
//         x * 0.5 * (1 + Tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
// After:  Gelu, approximate "none" or "tanh"
// When:   the constants are these to six digits. Factors may stand in any order, x / 1.4142... may be
//         x * 0.7071..., x^3 Pow or two products.

#include <cmath>

#include "simplify/graph_view.h"
#include "simplify/passes.h"

namespace zeropoint::toolchain {
namespace {

constexpr double kSqrtHalf = 0.70710678118654752;
constexpr double kSqrt2OverPi = 0.79788456080286536;

/// The other factor of a Mul by `value`.
std::optional<ValueId> times(const GraphView& view, ValueId product, double value) {
  const Node* mul = view.maker(product, Op::kMul);
  auto sides =
      mul == nullptr ? std::nullopt : either_way(*mul, [&](ValueId id) { return view.is_number(id, value); });
  return sides ? std::optional(sides->second) : std::nullopt;
}

/// The argument of a function in 1 + function(argument).
std::optional<ValueId> argument_of_one_plus(const GraphView& view, ValueId sum, Op function) {
  const Node* add = view.maker(sum, Op::kAdd);
  auto sides =
      add == nullptr ? std::nullopt : either_way(*add, [&](ValueId id) { return view.is_number(id, 1); });
  const Node* node = sides ? view.maker(sides->second, function) : nullptr;
  return node == nullptr ? std::nullopt : std::optional(node->inputs[0]);
}

bool is_x_over_sqrt2(const GraphView& view, ValueId id, ValueId x) {
  const Node* div = view.maker(id, Op::kDiv);
  return (div != nullptr && div->inputs[0] == x && view.is_number(div->inputs[1], 1 / kSqrtHalf)) ||
         times(view, id, kSqrtHalf) == x;
}

bool is_cube(const GraphView& view, ValueId id, ValueId x) {
  const Node* pow = view.maker(id, Op::kPow);
  if (pow != nullptr) {
    return pow->inputs[0] == x && view.is_number(pow->inputs[1], 3);
  }
  const Node* mul = view.maker(id, Op::kMul);
  auto sides = mul == nullptr ? std::nullopt : either_way(*mul, [&](ValueId side) { return side == x; });
  const Node* square = sides ? view.maker(sides->second, Op::kMul) : nullptr;
  return square != nullptr && square->inputs[0] == x && square->inputs[1] == x;
}

/// sqrt(2 / pi) * (x + 0.044715 * x^3)
bool is_tanh_argument(const GraphView& view, ValueId id, ValueId x) {
  std::optional<ValueId> sum = times(view, id, kSqrt2OverPi);
  const Node* add = sum ? view.maker(*sum, Op::kAdd) : nullptr;
  auto sides = add == nullptr ? std::nullopt : either_way(*add, [&](ValueId side) { return side == x; });
  std::optional<ValueId> cube = sides ? times(view, sides->second, 0.044715) : std::nullopt;
  return cube && is_cube(view, *cube, x);
}

struct Gelu {
  ValueId x;
  const char* approximate;
};

/// Whether half * gate, in either role, is 0.5 x (1 + f(x)).
std::optional<Gelu> gelu_of(const GraphView& view, ValueId x, ValueId gate) {
  if (std::optional<ValueId> argument = argument_of_one_plus(view, gate, Op::kErf)) {
    return is_x_over_sqrt2(view, *argument, x) ? std::optional(Gelu{x, "none"}) : std::nullopt;
  }
  if (std::optional<ValueId> argument = argument_of_one_plus(view, gate, Op::kTanh)) {
    return is_tanh_argument(view, *argument, x) ? std::optional(Gelu{x, "tanh"}) : std::nullopt;
  }
  return std::nullopt;
}

/// The three ways to group x, 0.5 and the gate.
std::optional<Gelu> match(const GraphView& view, const Node& node) {
  if (node.op != Op::kMul) {
    return std::nullopt;
  }
  for (std::size_t i : {0U, 1U}) {
    ValueId a = node.inputs[i];
    ValueId b = node.inputs[1 - i];
    if (std::optional<ValueId> x = times(view, a, 0.5); x && gelu_of(view, *x, b)) {
      return gelu_of(view, *x, b);
    }
    if (std::optional<ValueId> gate = times(view, b, 0.5); gate && gelu_of(view, a, *gate)) {
      return gelu_of(view, a, *gate);
    }
    const Node* product = view.is_number(a, 0.5) ? view.maker(b, Op::kMul) : nullptr;
    for (std::size_t k = 0; product != nullptr && k < 2; ++k) {
      if (std::optional<Gelu> gelu = gelu_of(view, product->inputs[k], product->inputs[1 - k])) {
        return gelu;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::size_t fuse_gelu(Graph& graph) {
  GraphView view(graph);
  std::size_t fused = 0;
  for (Node& node : graph.nodes) {
    std::optional<Gelu> gelu = match(view, node);
    if (gelu && view.have_one_rank(node.outputs[0], gelu->x)) {
      node.op = Op::kGelu;
      node.inputs = {gelu->x};
      node.attributes = {{"approximate", std::string(gelu->approximate)}};
      ++fused;
    }
  }
  return fused;
}

}  // namespace zeropoint::toolchain
