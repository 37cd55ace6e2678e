#include "export/spell_out.h"

#include <cmath>

#include "graph/inference.h"
#include "simplify/graph_view.h"

namespace zeropoint::toolchain {
namespace {

/// The formula that takes the place of a node.
class Formula {
 public:
  Formula(Graph& graph, NewNames& names, const Node& node, std::vector<Node>& nodes)
      : graph_(graph), names_(names), node_(node), nodes_(nodes) {}

  [[nodiscard]] ValueId x() const { return node_.inputs[0]; }
  ValueId number(const char* what, double value) {
    return graph_.add_constant(unused(what), Tensor::of<float>({}, {static_cast<float>(value)}));
  }
  ValueId axes(std::int64_t count) {
    std::vector<std::int64_t> last;
    for (std::int64_t axis = -count; axis < 0; ++axis) {
      last.push_back(axis);
    }
    return graph_.add_constant(unused("axes"), Tensor::of<std::int64_t>({count}, last));
  }
  ValueId step(Op op, std::vector<ValueId> inputs, const char* what, Attributes attributes = {}) {
    ValueId made = graph_.add_value(unused(what));
    nodes_.push_back({op, graph_.value(made).name, std::move(inputs), {made}, std::move(attributes)});
    return made;
  }
  /// The last step: it makes what the node made.
  void finish(Op op, std::vector<ValueId> inputs) {
    nodes_.push_back({op, node_.name, std::move(inputs), {node_.outputs[0]}, {}});
  }

 private:
  std::string unused(const char* what) { return names_.take(node_.name + "_" + what); }

  Graph& graph_;
  NewNames& names_;
  const Node& node_;
  std::vector<Node>& nodes_;
};

// x * Sigmoid(alpha * x)
void swish(const Node& node, Formula& f) {
  float alpha = float_attribute(node, "alpha");
  ValueId scaled = alpha == 1.0F ? f.x() : f.step(Op::kMul, {f.x(), f.number("alpha", alpha)}, "scaled");
  f.finish(Op::kMul, {f.x(), f.step(Op::kSigmoid, {scaled}, "gate")});
}

// x * HardSigmoid(x), alpha = 1/6, beta = 1/2
void hard_swish(const Node& /*node*/, Formula& f) {
  f.finish(Op::kMul,
           {f.x(), f.step(Op::kHardSigmoid, {f.x()}, "gate", {{"alpha", 1.0F / 6}, {"beta", 0.5F}})});
}

// x * Tanh(Softplus(x))
void mish(const Node& /*node*/, Formula& f) {
  f.finish(Op::kMul, {f.x(), f.step(Op::kTanh, {f.step(Op::kSoftplus, {f.x()}, "softplus")}, "gate")});
}

// 0.5 * x * (1 + Erf(x / sqrt(2))), or with Tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))
void gelu(const Node& node, Formula& f) {
  ValueId inner = kNoValue;
  if (string_attribute(node, "approximate") == "tanh") {
    ValueId cube = f.step(Op::kMul, {f.x(), f.step(Op::kMul, {f.x(), f.x()}, "square")}, "cube");
    ValueId bent = f.step(Op::kMul, {cube, f.number("bend", 0.044715)}, "bent");
    ValueId sum = f.step(Op::kAdd, {f.x(), bent}, "sum");
    inner = f.step(Op::kTanh, {f.step(Op::kMul, {sum, f.number("slope", std::sqrt(2 / M_PI))}, "sloped")},
                   "tanh");
  } else {
    inner = f.step(Op::kErf, {f.step(Op::kDiv, {f.x(), f.number("sqrt2", std::sqrt(2.0))}, "scaled")}, "erf");
  }
  ValueId gate = f.step(Op::kAdd, {inner, f.number("one", 1)}, "gate");
  f.finish(Op::kMul, {f.step(Op::kMul, {f.x(), f.number("half", 0.5)}, "halved"), gate});
}

/// d / Sqrt(ReduceMean(d * d) + epsilon) * scale [+ bias]
void normalize(const Node& node, ValueId d, std::int64_t axes, Formula& f) {
  ValueId mean = f.step(Op::kReduceMean, {f.step(Op::kMul, {d, d}, "squares"), f.axes(axes)}, "mean_square");
  ValueId shifted =
      f.step(Op::kAdd, {mean, f.number("epsilon", float_attribute(node, "epsilon"))}, "shifted");
  ValueId normalized = f.step(Op::kDiv, {d, f.step(Op::kSqrt, {shifted}, "root")}, "normalized");
  if (node.has_input(2)) {
    f.finish(Op::kAdd, {f.step(Op::kMul, {normalized, node.inputs[1]}, "scaled"), node.inputs[2]});
  } else {
    f.finish(Op::kMul, {normalized, node.inputs[1]});
  }
}

bool is_float32(const Graph& graph, const Node& node) {
  for (ValueId input : node.inputs) {
    if (input != kNoValue && graph.value(input).type != ElementType::kFloat32) {
      return false;
    }
  }
  return node.outputs.size() == 1;
}

/// False, and nothing done, where there is no formula.
bool write(Graph& graph, NewNames& names, const Node& node, std::vector<Node>& nodes) {
  Formula formula(graph, names, node, nodes);
  switch (node.op) {
    case Op::kGelu:
      gelu(node, formula);
      return true;
    case Op::kHardSwish:
      hard_swish(node, formula);
      return true;
    case Op::kMish:
      mish(node, formula);
      return true;
    case Op::kSwish:
      swish(node, formula);
      return true;
    case Op::kLayerNormalization:
    case Op::kRMSNormalization: {
      const std::optional<Dims>& dims = graph.value(node.inputs[0]).dims;
      std::int64_t axis = int_attribute(node, "axis");
      if (!dims && (axis >= 0 || axis < -kLargestRank)) {
        return false;
      }
      std::int64_t axes = axis < 0 ? -axis : std::ssize(*dims) - axis;
      ValueId d = formula.x();
      if (node.op == Op::kLayerNormalization) {
        d = formula.step(Op::kSub, {d, formula.step(Op::kReduceMean, {d, formula.axes(axes)}, "mean")},
                         "centred");
      }
      normalize(node, d, axes, formula);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

Status spell_out(Graph& graph, std::int64_t opset) {
  std::vector<Node> nodes;
  std::vector<Node> before = std::move(graph.nodes);
  NewNames names(graph);
  for (Node& node : before) {
    bool newer = info_of(node.op).domain.empty() && info_of(node.op).since > opset;
    if (!newer || !is_float32(graph, node) || !write(graph, names, node, nodes)) {
      nodes.push_back(std::move(node));
    }
  }
  bool changed = nodes.size() != before.size();  // every formula has more than one step
  graph.nodes = std::move(nodes);
  return changed ? infer_shapes(graph) : Status();
}

}  // namespace zeropoint::toolchain
