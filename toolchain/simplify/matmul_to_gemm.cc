// Before: MatMul (x [..., K], constant [K, M]) -> Add (constant [M])
// After:  Gemm; where x has more than two axes, Reshape to [-1, K] -> Gemm -> Reshape to [..., M]
// When:   nothing but the Add reads the product, and nothing else the bias; of the leading extents of x at
//         most one is unknown.
//     The bias is then part of the layer: in integers it costs nothing, and the product is rounded once.

#include <algorithm>

#include "simplify/graph_view.h"
#include "simplify/passes.h"

namespace zeropoint::toolchain {
namespace {

class MatMulToGemm {
 public:
  explicit MatMulToGemm(Graph& graph) : graph_(graph), view_(graph), names_(graph) {}

  std::size_t run() {
    return rewrite_nodes(graph_, made_,
                         [&](const Node& node) { return node.op == Op::kAdd && rewrite(node); });
  }

 private:
  bool rewrite(const Node& add) {
    auto sides = either_way(add, [&](ValueId id) { return view_.maker(id, Op::kMatMul) != nullptr; });
    const Node* product = sides ? view_.maker(sides->first) : nullptr;
    if (product == nullptr || !view_.has_one_reader(sides->first)) {
      return false;
    }
    ValueId x = product->inputs[0];
    const std::optional<Dims> dims = graph_.value(x).dims;
    const Tensor* weights = view_.floats(product->inputs[1]);
    const Tensor* bias = view_.floats(sides->second);
    bool fits = dims && dims->size() >= 2 && weights != nullptr && weights->rank() == 2 && bias != nullptr &&
                bias->shape() == Shape{weights->dim(1)};
    if (!fits) {
      return false;
    }
    Node gemm{Op::kGemm, product->name, {x, product->inputs[1], sides->second}, add.outputs, {}};
    if (dims->size() == 2) {
      made_.push_back(std::move(gemm));
      return true;
    }
    auto unknown = std::count_if(dims->begin(), dims->end() - 1, [](const Dim& dim) { return !dim.known(); });
    if (unknown > 1 || !view_.has_one_reader(sides->second)) {
      return false;
    }
    Shape leading;
    for (const Dim& dim : *dims) {
      leading.push_back(dim.known() ? dim.extent : -1);
    }
    leading.back() = weights->dim(1);
    // The product's own name is free: nothing reads it any more.
    std::string name = graph_.value(add.outputs[0]).name;
    gemm.inputs[0] = reshaped(x, {-1, weights->dim(0)}, name + "_input_rows", kNoValue);
    gemm.outputs = {graph_.add_value(names_.take(name + "_rows"))};
    ValueId rows = gemm.outputs[0];
    made_.push_back(std::move(gemm));
    reshaped(rows, leading, name, add.outputs[0]);
    return true;
  }

  /// `to`, or a new value, made of the elements of `id`.
  ValueId reshaped(ValueId id, const Shape& shape, const std::string& name, ValueId to) {
    ValueId extents =
        graph_.add_constant(names_.take(name + "_shape"),
                            Tensor::of<std::int64_t>({static_cast<std::int64_t>(shape.size())}, shape));
    if (to == kNoValue) {
      to = graph_.add_value(names_.take(name));
    }
    made_.push_back({Op::kReshape, name + "_reshape", {id, extents}, {to}, {}});
    return to;
  }

  Graph& graph_;
  GraphView view_;
  NewNames names_;
  std::vector<Node> made_;
};

}  // namespace

std::size_t matmul_to_gemm(Graph& graph) { return MatMulToGemm(graph).run(); }

}  // namespace zeropoint::toolchain
