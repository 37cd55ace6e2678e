#pragma once

// Random small float networks, the ranges the double oracle finds for them, and recipes to quantize them.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "float/double_oracle.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain::random_networks {

inline std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}
inline bool chance(Random& random, std::int64_t one_in) { return pick(random, 1, one_in) == 1; }

/// Grows a network layer by layer behind its last value.
class Grower {
 public:
  explicit Grower(Random& random) : random_(random) {}

  Graph grow() {
    graph_.name = "random";
    last_ = graph_.add_input("x", ElementType::kFloat32,
                             {Dim("N"), pick(random_, 1, 4), pick(random_, 4, 9), pick(random_, 4, 9)});
    infer();
    for (std::int64_t layers = pick(random_, 1, 3); layers > 0; --layers) {
      conv();
      if (chance(random_, 3)) {
        pool();
      }
    }
    if (!chance(random_, 4)) {
      add(Op::kFlatten, {last_}, {});
      for (std::int64_t layers = pick(random_, 1, 2); layers > 0; --layers) {
        gemm();
      }
    }
    graph_.outputs = {last_};
    return std::move(graph_);
  }

 private:
  [[nodiscard]] std::int64_t dim(std::size_t axis) const { return (*graph_.value(last_).dims)[axis].extent; }
  void infer() { (void)infer_shapes(graph_); }

  void add(Op op, std::vector<ValueId> inputs, Attributes attributes) {
    std::string name = std::string(name_of(op)) + std::to_string(graph_.nodes.size());
    last_ = graph_.add_node(op, name, std::move(inputs), "v_" + name, std::move(attributes));
    infer();
  }

  ValueId constant(Shape shape, double magnitude) {
    Tensor tensor = oracle::random_tensor(std::move(shape), random_);
    for (float& element : tensor.data<float>()) {
      element *= static_cast<float>(magnitude);
    }
    return graph_.add_constant("k" + std::to_string(graph_.values.size()), std::move(tensor));
  }

  ValueId scalar(double value) {
    return graph_.add_constant("k" + std::to_string(graph_.values.size()),
                               Tensor::of<float>({}, {static_cast<float>(value)}));
  }

  void conv() {
    std::int64_t channels = dim(1);
    std::int64_t group = channels % 2 == 0 && chance(random_, 3) ? 2 : (chance(random_, 4) ? channels : 1);
    std::int64_t out = group * pick(random_, 1, 3);
    std::vector<std::int64_t> kernel;
    std::vector<std::int64_t> strides;
    std::vector<std::int64_t> dilations;
    std::vector<std::int64_t> pads(4);
    for (std::size_t i = 0; i < 2; ++i) {
      pads[i] = pick(random_, 0, 2);
      pads[i + 2] = pick(random_, 0, 2);
      std::int64_t room = dim(2 + i) + pads[i] + pads[i + 2];
      kernel.push_back(pick(random_, 1, std::min<std::int64_t>(3, room)));
      dilations.push_back(kernel[i] > 1 && (kernel[i] - 1) * 2 + 1 <= room ? pick(random_, 1, 2) : 1);
      strides.push_back(pick(random_, 1, 2));
    }
    std::vector<ValueId> inputs{last_, constant({out, channels / group, kernel[0], kernel[1]}, 0.7)};
    if (!chance(random_, 4)) {
      inputs.push_back(constant({out}, 0.5));
    }
    add(Op::kConv, std::move(inputs),
        {{"group", group}, {"strides", strides}, {"dilations", dilations}, {"pads", pads}});
    activation();
  }

  void gemm() {
    std::int64_t in = dim(1);
    std::int64_t out = pick(random_, 1, 8);
    bool transposed = chance(random_, 2);
    std::vector<ValueId> inputs{last_, constant(transposed ? Shape{out, in} : Shape{in, out}, 0.5)};
    if (!chance(random_, 4)) {
      inputs.push_back(constant({out}, 0.5));
    }
    add(Op::kGemm, std::move(inputs), {{"transB", std::int64_t{transposed ? 1 : 0}}});
    activation();
  }

  void activation() {
    bool relu_first = chance(random_, 2);
    if (relu_first && !chance(random_, 3)) {
      add(Op::kRelu, {last_}, {});
    }
    if (chance(random_, 3)) {
      ValueId low = chance(random_, 3) ? kNoValue : scalar(random_.uniform(-1, 0.2));
      ValueId high = chance(random_, 3) ? kNoValue : scalar(random_.uniform(0.3, 2));
      add(Op::kClip, {last_, low, high}, {});
    }
    if (!relu_first && chance(random_, 2)) {
      add(Op::kRelu, {last_}, {});
    }
  }

  void pool() {
    std::vector<std::int64_t> kernel;
    std::vector<std::int64_t> pads(4);
    for (std::size_t i = 0; i < 2; ++i) {
      kernel.push_back(pick(random_, 1, std::min<std::int64_t>(3, dim(2 + i))));
      pads[i] = pick(random_, 0, kernel[i] - 1);
      pads[i + 2] = pick(random_, 0, kernel[i] - 1);
    }
    std::vector<std::int64_t> strides{pick(random_, 1, 2), pick(random_, 1, 2)};
    add(Op::kMaxPool, {last_}, {{"kernel_shape", kernel}, {"strides", strides}, {"pads", pads}});
  }

  Random& random_;
  Graph graph_;
  ValueId last_ = kNoValue;
};

/// The extremes of each computed value over `input`, by the double oracle.
inline RangeTable ranges_of(const Graph& graph, const Tensor& input) {
  RangeTable table{"oracle", input.dim(0), "random", {}};
  oracle::Values values = oracle::evaluate(graph, {{graph.inputs[0], oracle::reals_of(input)}});
  for (const auto& [id, reals] : values) {
    if (graph.value(id).constant == nullptr) {
      auto [low, high] = std::minmax_element(reals.data.begin(), reals.data.end());
      table.ranges[graph.value(id).name] = {static_cast<float>(*low), static_cast<float>(*high)};
    }
  }
  return table;
}

inline Recipe random_recipe(Random& random) {
  Recipe recipe;
  recipe.activations = {static_cast<int>(pick(random, 2, 8)), chance(random, 2)};
  recipe.weights = {static_cast<int>(pick(random, 2, 8)), true, chance(random, 2)};
  recipe.per_channel = chance(random, 2);
  recipe.border_bits = chance(random, 2) ? 0 : static_cast<int>(pick(random, 2, 8));
  recipe.output = chance(random, 2) ? Recipe::Output::kQuantized : Recipe::Output::kAccumulator;
  return recipe;
}

/// A float network, a batch for it, and its quantized form.
struct Quantized {
  Graph real;
  Tensor input;
  Graph graph;
};

inline Result<Quantized> random_quantized(std::uint64_t seed) {
  Random random(seed);
  Quantized result;
  result.real = Grower(random).grow();
  result.input = oracle::random_tensor(shape_of(*result.real.value(result.real.inputs[0]).dims, 4), random);
  RangeTable ranges = ranges_of(result.real, result.input);
  ZP_ASSIGN_OR_RETURN(QuantPlan plan, make_plan(result.real, ranges, random_recipe(random)));
  ZP_ASSIGN_OR_RETURN(result.graph, apply_plan(result.real, plan));
  return result;
}

}  // namespace zeropoint::toolchain::random_networks
