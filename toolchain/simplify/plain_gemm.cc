// Before: Gemm = alpha · op(A) · op(B) + beta · C
// After:  Transpose? -> Gemm (alpha = beta = 1, transA = 0, C of shape [M] or none) -> Add?,
//         or, where B is computed, Transpose? -> MatMul -> Mul? -> Add?
// When:   always, except that alpha and beta stay with constants behind a DequantizeLinear and with those
// that
//         many Gemms read with different ones.
//     alpha · (A · B) = A · (alpha · B), rounded once per weight; beta · C likewise. A C that has another
//     element per row, or is computed, is added to the product behind it.

#include <cmath>
#include <map>
#include <tuple>

#include "simplify/graph_view.h"
#include "simplify/passes.h"

namespace zeropoint::toolchain {
namespace {

class PlainGemm {
 public:
  explicit PlainGemm(Graph& graph) : graph_(graph), view_(graph), names_(graph) {}

  std::size_t run() {
    return rewrite_nodes(graph_, made_, [&](const Node& node) {
      bool is_real = node.op == Op::kGemm && graph_.value(node.outputs[0]).type == ElementType::kFloat32;
      return is_real && rewrite(node);
    });
  }

 private:
  /// Appends what stands for `gemm`. False where nothing is to be done.
  bool rewrite(const Node& gemm) {
    bool computed = !is_constant(gemm.inputs[1]);
    float alpha = float_attribute(gemm, "alpha");
    float beta = float_attribute(gemm, "beta");
    if (std::isnan(alpha) || std::isnan(beta)) {
      return false;  // folded_ has no place for them
    }
    bool folds_alpha = alpha != 1 && folds(gemm.inputs[1], alpha);
    bool has_bias = gemm.has_input(2) && beta != 0;  // 0 * C is nothing, whatever C holds
    std::optional<Tensor> bias = has_bias ? channel_bias(gemm, beta) : std::nullopt;
    bool keeps_bias = !has_bias || (!computed && (bias || is_quantized(gemm.inputs[2])));
    bool grows = bias && bias->shape() != view_.floats(gemm.inputs[2])->shape();
    bool folds_bias = keeps_bias && bias && (beta != 1 || grows) && folds(gemm.inputs[2], beta) &&
                      !(grows && view_.is_widely_shared(gemm.inputs[1]));
    bool turns = int_attribute(gemm, "transA") != 0;
    bool drops_bias = gemm.has_input(2) && !has_bias;
    if (!computed && !folds_alpha && !folds_bias && keeps_bias && !drops_bias && !turns) {
      return false;
    }
    Node product{Op::kGemm, gemm.name, {gemm.inputs[0], gemm.inputs[1]}, {}, {}};
    if (turns) {
      product.inputs[0] = transposed(gemm, 0);
    }
    if (computed) {
      product.op = Op::kMatMul;
      product.inputs[1] = int_attribute(gemm, "transB") != 0 ? transposed(gemm, 1) : gemm.inputs[1];
    } else {
      product.attributes["transB"] = int_attribute(gemm, "transB");
    }
    if (folds_alpha) {
      product.inputs[1] = scaled(gemm.inputs[1], alpha);
    } else if (!computed && alpha != 1) {
      product.attributes["alpha"] = alpha;
    }
    if (keeps_bias && has_bias) {
      product.inputs.push_back(folds_bias ? folded(gemm.inputs[2], beta, *std::move(bias)) : gemm.inputs[2]);
      if (!folds_bias && beta != 1) {
        product.attributes["beta"] = beta;
      }
    }
    ValueId result = append(std::move(product), gemm, "_product");
    if (computed && alpha != 1) {
      result = multiplied(gemm, result, alpha, "_alpha");
    }
    if (!keeps_bias) {
      ValueId addend = gemm.inputs[2];
      if (beta != 1) {
        addend = folds(addend, beta) ? scaled(addend, beta) : multiplied(gemm, addend, beta, "_beta");
      }
      append({Op::kAdd, gemm.name + "_add", {result, addend}, {}, {}}, gemm, "");
    }
    // The last of them makes what the Gemm made.
    made_.back().outputs = gemm.outputs;
    return true;
  }

  [[nodiscard]] bool is_quantized(ValueId id) const {
    const Node* node = view_.maker(id, Op::kDequantizeLinear);
    return node != nullptr && graph_.constant(*node, 0) != nullptr;
  }
  [[nodiscard]] bool is_constant(ValueId id) const { return view_.floats(id) != nullptr || is_quantized(id); }

  /// beta · C as [M], where C is a constant with one element per column or one for all.
  [[nodiscard]] std::optional<Tensor> channel_bias(const Node& gemm, float beta) const {
    const Tensor* c = gemm.has_input(2) ? view_.floats(gemm.inputs[2]) : nullptr;
    const std::optional<Dims>& b = graph_.value(gemm.inputs[1]).dims;
    if (c == nullptr || !b || b->size() != 2) {
      return std::nullopt;
    }
    const Dim& columns = (*b)[int_attribute(gemm, "transB") != 0 ? 0 : 1];
    bool by_column = c->rank() > 0 && c->size() == c->dim(-1);
    if (!columns.known() || (c->size() != 1 && !(by_column && c->size() == columns.extent))) {
      return std::nullopt;
    }
    Tensor bias(ElementType::kFloat32, {columns.extent});
    for (std::size_t i = 0; i < bias.data<float>().size(); ++i) {
      bias.data<float>()[i] = beta * c->data<float>()[c->size() == 1 ? 0 : i];
    }
    return bias;
  }

  /// Whether `id` is a constant that may be folded with that factor: where many Gemms read it with different
  /// ones, not each gets its own.
  bool folds(ValueId id, float factor) {
    return view_.floats(id) != nullptr &&
           (!view_.is_widely_shared(id) || factor == factors_.try_emplace(id, factor).first->second);
  }

  ValueId scaled(ValueId id, float factor) {
    Tensor result = *view_.floats(id);
    for (float& element : result.data<float>()) {
      element *= factor;
    }
    return folded(id, factor, std::move(result));
  }

  /// The constant `tensor`, which is `id` times `factor`. Gemms that share the one share the other.
  ValueId folded(ValueId id, float factor, Tensor tensor) {
    auto [known, is_new] = folded_.try_emplace({id, factor, tensor.shape()}, kNoValue);
    if (is_new) {
      known->second = graph_.add_constant(names_.take(graph_.value(id).name + "_folded"), std::move(tensor));
    }
    return known->second;
  }

  ValueId append(Node node, const Node& gemm, const std::string& suffix) {
    node.outputs = {graph_.add_value(names_.take(graph_.value(gemm.outputs[0]).name + suffix))};
    made_.push_back(std::move(node));
    return made_.back().outputs[0];
  }

  ValueId transposed(const Node& gemm, std::size_t input) {
    std::string suffix = input == 0 ? "_a_transposed" : "_b_transposed";
    return append({Op::kTranspose,
                   gemm.name + suffix,
                   {gemm.inputs[input]},
                   {},
                   {{"perm", std::vector<std::int64_t>{1, 0}}}},
                  gemm, suffix);
  }

  ValueId multiplied(const Node& gemm, ValueId id, float factor, const std::string& suffix) {
    ValueId number = graph_.add_constant(names_.take(gemm.name + suffix), Tensor::of<float>({}, {factor}));
    return append({Op::kMul, gemm.name + suffix + "_mul", {id, number}, {}, {}}, gemm, suffix + "_product");
  }

  Graph& graph_;
  GraphView view_;
  NewNames names_;
  std::vector<Node> made_;
  std::map<ValueId, float> factors_;  // the only ones that constants which many read are folded with
  std::map<std::tuple<ValueId, float, Shape>, ValueId> folded_;
};

}  // namespace

std::size_t plain_gemm(Graph& graph) { return PlainGemm(graph).run(); }

}  // namespace zeropoint::toolchain
