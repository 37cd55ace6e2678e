// Before: d = x - ReduceMean(x), d / Sqrt(ReduceMean(d^2) + epsilon) [* scale [+ bias]]
//         x / Sqrt(ReduceMean(x^2) + epsilon) * scale
// After:  LayerNormalization; RMSNormalization
// When:   the means are over the last axes, kept; scale and bias are constants over just these axes. d^2 may
// be
//         Pow or Mul, the division Div or a product with Reciprocal.

#include <algorithm>

#include "simplify/graph_view.h"
#include "simplify/passes.h"

namespace zeropoint::toolchain {
namespace {

class Matcher {
 public:
  Matcher(const Graph& graph, const GraphView& view) : graph_(graph), view_(view) {}

  /// numerator / Sqrt(ReduceMean(numerator^2) + epsilon)
  struct Normalized {
    ValueId numerator;
    std::int64_t axes;  // how many, from the last
    float epsilon;
  };
  [[nodiscard]] std::optional<Normalized> normalized(ValueId id) const {
    const Node* div = view_.maker(id, Op::kDiv);
    if (div != nullptr) {
      return over_root(div->inputs[0], view_.maker(div->inputs[1]));
    }
    const Node* mul = view_.maker(id, Op::kMul);
    for (std::size_t i = 0; mul != nullptr && i < 2; ++i) {
      const Node* reciprocal = view_.maker(mul->inputs[i], Op::kReciprocal);
      if (reciprocal != nullptr) {
        return over_root(mul->inputs[1 - i], view_.maker(reciprocal->inputs[0]));
      }
    }
    return std::nullopt;
  }

  /// x of x - ReduceMean(x) over that many axes.
  [[nodiscard]] std::optional<ValueId> centred(ValueId id, std::int64_t axes) const {
    const Node* sub = view_.maker(id, Op::kSub);
    std::optional<Mean> mean = sub == nullptr ? std::nullopt : mean_of(sub->inputs[1]);
    bool fits = mean && mean->x == sub->inputs[0] && mean->axes == axes;
    return fits ? std::optional(mean->x) : std::nullopt;
  }

  /// How many axes, from the last, a LayerNormalization works along; 0 where the rank of its input is not
  /// known.
  [[nodiscard]] std::int64_t normalized_axes(const Node& norm) const {
    const std::optional<Dims>& dims = graph_.value(norm.inputs[0]).dims;
    std::int64_t axis = int_attribute(norm, "axis");
    return axis < 0 ? -axis : dims ? std::ssize(*dims) - axis : 0;
  }

  /// Whether a constant has the extents of the last `axes` of x.
  [[nodiscard]] bool spans(ValueId constant, ValueId x, std::int64_t axes) const {
    const Tensor* tensor = view_.floats(constant);
    const std::optional<Dims>& dims = graph_.value(x).dims;
    return tensor != nullptr && dims && axes >= 1 && axes <= std::ssize(*dims) &&
           dims_of(tensor->shape()) == Dims(dims->end() - static_cast<std::ptrdiff_t>(axes), dims->end());
  }

 private:
  struct Mean {
    ValueId x;
    std::int64_t axes;
  };

  /// A ReduceMean over the last axes, which it keeps as extents of 1.
  [[nodiscard]] std::optional<Mean> mean_of(ValueId id) const {
    const Node* mean = view_.maker(id, Op::kReduceMean);
    const Tensor* axes = mean == nullptr ? nullptr : graph_.constant(*mean, 1);
    const std::optional<Dims>* dims = mean == nullptr ? nullptr : &graph_.value(mean->inputs[0]).dims;
    if (axes == nullptr || axes->type() != ElementType::kInt64 || !*dims ||
        int_attribute(*mean, "keepdims") == 0) {
      return std::nullopt;
    }
    std::int64_t rank = std::ssize(**dims);
    std::vector<std::int64_t> sorted;
    for (std::int64_t axis : axes->data<std::int64_t>()) {
      sorted.push_back(axis < 0 ? axis + rank : axis);
    }
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (sorted[i] != rank - std::ssize(sorted) + static_cast<std::int64_t>(i)) {
        return std::nullopt;
      }
    }
    return sorted.empty() ? std::nullopt : std::optional(Mean{mean->inputs[0], std::ssize(sorted)});
  }

  [[nodiscard]] bool is_square_of(ValueId id, ValueId x) const {
    const Node* node = view_.maker(id);
    return node != nullptr &&
           ((node->op == Op::kPow && node->inputs[0] == x && view_.is_number(node->inputs[1], 2)) ||
            (node->op == Op::kMul && node->inputs[0] == x && node->inputs[1] == x));
  }

  [[nodiscard]] std::optional<Normalized> over_root(ValueId numerator, const Node* root) const {
    const Node* add =
        root == nullptr || root->op != Op::kSqrt ? nullptr : view_.maker(root->inputs[0], Op::kAdd);
    auto sides = add == nullptr
                     ? std::nullopt
                     : either_way(*add, [&](ValueId side) { return view_.number(side).has_value(); });
    std::optional<Mean> mean = sides ? mean_of(sides->second) : std::nullopt;
    if (!mean || !is_square_of(mean->x, numerator)) {
      return std::nullopt;
    }
    return Normalized{numerator, mean->axes, *view_.number(sides->first)};
  }

  const Graph& graph_;
  const GraphView& view_;
};

/// A product of something normalized and its scale.
struct Scaled {
  Matcher::Normalized normalized;
  ValueId scale;
};

std::optional<Scaled> scaled_of(const Matcher& matcher, const Node& mul) {
  for (std::size_t i = 0; mul.op == Op::kMul && i < 2; ++i) {
    std::optional<Matcher::Normalized> normalized = matcher.normalized(mul.inputs[i]);
    if (normalized && matcher.spans(mul.inputs[1 - i], normalized->numerator, normalized->axes)) {
      return Scaled{*normalized, mul.inputs[1 - i]};
    }
  }
  return std::nullopt;
}

Attributes attributes_of(const Matcher::Normalized& normalized) {
  return {{"axis", -normalized.axes}, {"epsilon", normalized.epsilon}};
}

/// scale * normalized [+ bias] as one operator.
std::optional<Node> match(const Matcher& matcher, const GraphView& view, const Node& node) {
  Node fused = node;
  if (std::optional<Scaled> scaled = scaled_of(matcher, node)) {
    std::optional<ValueId> x = matcher.centred(scaled->normalized.numerator, scaled->normalized.axes);
    fused.op = x ? Op::kLayerNormalization : Op::kRMSNormalization;
    fused.inputs = {x ? *x : scaled->normalized.numerator, scaled->scale};
    fused.attributes = attributes_of(scaled->normalized);
    return fused;
  }
  for (std::size_t i = 0; node.op == Op::kAdd && i < 2; ++i) {
    const Node* norm = view.maker(node.inputs[i], Op::kLayerNormalization);
    bool adds_bias = norm != nullptr && !norm->has_input(2) && norm->outputs.size() == 1 &&
                     view.has_one_reader(node.inputs[i]) &&
                     matcher.spans(node.inputs[1 - i], norm->inputs[0], matcher.normalized_axes(*norm));
    if (adds_bias) {
      fused.op = norm->op;
      fused.inputs = {norm->inputs[0], norm->inputs[1], node.inputs[1 - i]};
      fused.attributes = norm->attributes;
      return fused;
    }
  }
  return std::nullopt;
}

}  // namespace

std::size_t fuse_layer_norm(Graph& graph) {
  GraphView view(graph);
  Matcher matcher(graph, view);
  std::size_t fused = 0;
  for (Node& node : graph.nodes) {
    std::optional<Node> replaced = match(matcher, view, node);
    if (replaced && view.have_one_rank(node.outputs[0], replaced->inputs[0])) {
      node = *std::move(replaced);
      ++fused;
    }
  }
  return fused;
}

}  // namespace zeropoint::toolchain
