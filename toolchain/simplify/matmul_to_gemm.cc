// Before: MatMul (x [N, K], constant [K, M]) -> Add (constant [M])
// After:  Gemm
// When:   x has two axes, and nothing but the Add reads the product.

#include "simplify/graph_view.h"
#include "simplify/passes.h"

namespace zeropoint::toolchain {

std::size_t matmul_to_gemm(Graph& graph) {
  GraphView view(graph);
  std::size_t changes = 0;
  for (Node& add : graph.nodes) {
    if (add.op != Op::kAdd) {
      continue;
    }
    auto sides = either_way(add, [&](ValueId id) { return view.maker(id, Op::kMatMul) != nullptr; });
    const Node* product = sides ? view.maker(sides->first) : nullptr;
    if (product == nullptr || !view.has_one_reader(sides->first)) {
      continue;
    }
    const std::optional<Dims>& x = graph.value(product->inputs[0]).dims;
    const Tensor* weights = view.floats(product->inputs[1]);
    const Tensor* bias = view.floats(sides->second);
    bool fits = x && x->size() == 2 && weights != nullptr && weights->rank() == 2 && bias != nullptr &&
                bias->shape() == Shape{weights->dim(1)};
    if (fits) {
      add = Node{
          Op::kGemm, product->name, {product->inputs[0], product->inputs[1], sides->second}, add.outputs, {}};
      ++changes;
    }
  }
  return changes;
}

}  // namespace zeropoint::toolchain
