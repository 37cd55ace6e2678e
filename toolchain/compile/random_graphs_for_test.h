#pragma once

// Random float graphs of layers, pools, functions, arithmetic, normalizations, products and moves over an
// image, and their quantized form.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "float/double_oracle.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain::random_graphs {

inline std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

/// Grows a graph from an image [2, C, H, W], remembering values to join again.
class Grower {
 public:
  explicit Grower(Random& random) : random_(random) {}

  Graph grow() {
    graph_.name = "random";
    last_ = graph_.add_input("x", ElementType::kFloat32,
                             {Dim("N"), pick(random_, 1, 4), pick(random_, 4, 8), pick(random_, 4, 8)});
    conv();
    for (std::int64_t count = pick(random_, 1, 5); count > 0; --count) {
      step();
    }
    graph_.outputs = {last_};
    return std::move(graph_);
  }

 private:
  using Ints = std::vector<std::int64_t>;

  [[nodiscard]] std::int64_t dim(std::size_t axis) const { return (*graph_.value(last_).dims)[axis].extent; }

  ValueId node(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    std::string name = std::string(name_of(op)) + std::to_string(graph_.nodes.size());
    ValueId made = graph_.add_node(op, name, std::move(inputs), "v_" + name, std::move(attributes));
    (void)infer_shapes(graph_);
    return made;
  }

  ValueId reals(Shape shape, double magnitude, double center = 0) {
    Tensor tensor = oracle::random_tensor(std::move(shape), random_);
    for (float& element : tensor.data<float>()) {
      element = element * static_cast<float>(magnitude) + static_cast<float>(center);
    }
    return graph_.add_constant("k" + std::to_string(graph_.values.size()), std::move(tensor));
  }
  ValueId ints(const Ints& values) {
    return graph_.add_constant("k" + std::to_string(graph_.values.size()),
                               Tensor::of<std::int64_t>({std::ssize(values)}, values));
  }

  void step() {
    using Step = void (Grower::*)();
    static constexpr Step kSteps[] = {&Grower::conv,      &Grower::conv_transpose, &Grower::pool,
                                      &Grower::function,  &Grower::arithmetic,     &Grower::residual,
                                      &Grower::normalize, &Grower::softmax,        &Grower::move,
                                      &Grower::attention, &Grower::project,        &Grower::scale_channels};
    (this->*kSteps[pick(random_, 0, 11)])();
  }

  void conv() {
    std::int64_t channels = dim(1);
    std::int64_t group = pick(random_, 0, 1) == 0 ? channels : 1;
    std::int64_t kernel = std::min<std::int64_t>(3, std::min(dim(2), dim(3)));
    std::int64_t out = group * pick(random_, 1, 2);
    ValueId before = last_;
    last_ = node(Op::kConv, {before, reals({out, channels / group, kernel, kernel}, 0.6), reals({out}, 0.5)},
                 {{"group", group}, {"pads", Ints{1, 0, kernel - 1, kernel - 1}}});
    if (pick(random_, 0, 1) == 0) {
      last_ = node(Op::kRelu, {last_});
    }
  }

  void conv_transpose() {
    if (dim(2) > 10 || dim(3) > 10) {
      return;
    }
    last_ = node(Op::kConvTranspose, {last_, reals({dim(1), 2, 2, 3}, 0.6), reals({2}, 0.5)},
                 {{"strides", Ints{pick(random_, 1, 2), pick(random_, 1, 2)}}, {"pads", Ints{0, 1, 1, 1}}});
  }

  void pool() {
    std::int64_t kernel = pick(random_, 1, 3);
    Attributes attributes{{"kernel_shape", Ints{kernel, 2}},
                          {"strides", Ints{1, pick(random_, 1, 2)}},
                          {"pads", Ints{kernel - 1, 1, 0, 0}}};
    if (pick(random_, 0, 1) == 0) {
      last_ = node(Op::kMaxPool, {last_}, attributes);
      return;
    }
    attributes["count_include_pad"] = pick(random_, 0, 1);
    last_ = node(Op::kAveragePool, {last_}, attributes);
  }

  void function() {
    constexpr Op kFunctions[] = {Op::kSigmoid, Op::kTanh,     Op::kHardSwish, Op::kGelu,
                                 Op::kElu,     Op::kSoftplus, Op::kAbs,       Op::kLeakyRelu};
    last_ = node(kFunctions[pick(random_, 0, 7)], {last_});
  }

  void arithmetic() {
    constexpr Op kOperators[] = {Op::kAdd, Op::kSub, Op::kMul, Op::kDiv, Op::kMax, Op::kMin};
    Op op = kOperators[pick(random_, 0, 5)];
    last_ = node(op, {last_, op == Op::kDiv ? reals({}, 0.5, 1) : reals({dim(1), 1, 1}, 1)});
  }

  void residual() {
    ValueId other = node(Op::kTanh, {last_});
    constexpr Op kOperators[] = {Op::kAdd, Op::kSub, Op::kMul, Op::kMax, Op::kMin, Op::kConcat};
    Op op = kOperators[pick(random_, 0, 5)];
    Attributes attributes;
    if (op == Op::kConcat) {
      attributes["axis"] = std::int64_t{1};
    }
    last_ = node(op, {last_, other}, attributes);
  }

  void normalize() {
    if (pick(random_, 0, 1) == 0) {
      last_ = node(Op::kLayerNormalization, {last_, reals({dim(3)}, 1), reals({dim(3)}, 0.5)});
    } else {
      last_ = node(Op::kInstanceNormalization, {last_, reals({dim(1)}, 1), reals({dim(1)}, 0.5)});
    }
  }

  void softmax() { last_ = node(Op::kSoftmax, {last_}, {{"axis", pick(random_, 1, 3)}}); }

  void move() {
    switch (pick(random_, 0, 4)) {
      case 0:
        last_ = node(Op::kTranspose, {last_}, {{"perm", Ints{0, 1, 3, 2}}});
        break;
      case 1:
        last_ = node(Op::kPad, {last_, ints({0, 0, 1, 0, 0, 0, 0, 1})});
        break;
      case 2:
        last_ = node(Op::kSlice, {last_, ints({1}), ints({100}), ints({2})});
        break;
      case 3:
        last_ = node(Op::kReshape, {last_, ints({0, 1, -1, dim(3)})});
        break;
      default:
        enlarge();
    }
  }

  void enlarge() {
    if (dim(2) > 10 || dim(3) > 10) {
      return;
    }
    ValueId scales = graph_.add_constant("k" + std::to_string(graph_.values.size()),
                                         Tensor::of<float>({4}, {1, 1, 2, 1.5F}));
    const char* mode = pick(random_, 0, 1) == 0 ? "nearest" : "linear";
    last_ = node(Op::kResize, {last_, kNoValue, scales}, {{"mode", std::string(mode)}});
  }

  void attention() {
    ValueId turned = node(Op::kTranspose, {last_}, {{"perm", Ints{0, 1, 3, 2}}});
    ValueId scores = node(Op::kSoftmax, {node(Op::kMatMul, {last_, turned})});
    last_ = node(Op::kMatMul, {scores, last_});
  }

  void project() { last_ = node(Op::kMatMul, {last_, reals({dim(3), pick(random_, 2, 6)}, 0.6)}); }

  void scale_channels() {
    ValueId mean = node(Op::kReduceMean, {last_, ints({2, 3})});
    last_ = node(Op::kMul, {last_, node(Op::kSigmoid, {mean})});
  }

  Random& random_;
  Graph graph_;
  ValueId last_ = kNoValue;
};

/// The extremes of each value over `input`, by the plain evaluations.
inline RangeTable ranges_of(const Graph& graph, const Tensor& input) {
  RangeTable table{"evaluation", input.dim(0), "random", {}};
  std::map<ValueId, Tensor> values{{graph.inputs[0], input}};
  auto observe = [&](ValueId id, const Tensor& tensor) {
    if (tensor.type() == ElementType::kFloat32 && tensor.size() > 0) {
      auto [low, high] = std::minmax_element(tensor.data<float>().begin(), tensor.data<float>().end());
      table.ranges[graph.value(id).name] = {*low, *high};
    }
  };
  observe(graph.inputs[0], input);
  for (const Value& value : graph.values) {
    if (value.constant != nullptr) {
      observe(graph.find(value.name), *value.constant);
    }
  }
  for (const Node& node : graph.nodes) {
    std::vector<const Tensor*> inputs;
    for (ValueId id : node.inputs) {
      const Tensor* constant = id == kNoValue ? nullptr : graph.value(id).constant.get();
      inputs.push_back(id == kNoValue || constant != nullptr ? constant : &values.at(id));
    }
    Result<std::vector<Tensor>> outputs = evaluate(OperatorCall(node.op, node.attributes, inputs));
    if (outputs.ok()) {
      values[node.outputs[0]] = std::move((*outputs)[0]);
      observe(node.outputs[0], values[node.outputs[0]]);
    }
  }
  return table;
}

struct QuantizedGraph {
  Graph graph;
  Tensor input;
};

/// A graph as it is, in float.
inline QuantizedGraph random_real(std::uint64_t seed) {
  Random random(seed);
  QuantizedGraph result{Grower(random).grow(), {}};
  const Dims& dims = *result.graph.value(result.graph.inputs[0]).dims;
  result.input = oracle::random_tensor(shape_of(dims, 2), random);
  return result;
}

/// With activations of `bits`; 0: of 6 to 8.
inline Result<QuantizedGraph> random_quantized(std::uint64_t seed, int bits = 0) {
  Random random(seed);
  Graph real = Grower(random).grow();
  QuantizedGraph result;
  result.input = oracle::random_tensor(shape_of(*real.value(real.inputs[0]).dims, 2), random);
  separate_constants(real);
  Recipe recipe;
  recipe.activations = {static_cast<int>(pick(random, 6, 8)), pick(random, 0, 1) == 0};
  recipe.activations.bits = bits == 0 ? recipe.activations.bits : bits;
  recipe.weights = {static_cast<int>(pick(random, 4, 8)), true, pick(random, 0, 1) == 0};
  recipe.per_channel = pick(random, 0, 1) == 0;
  recipe.output = Recipe::Output::kQuantized;
  ZP_ASSIGN_OR_RETURN(QuantPlan plan, make_plan(real, ranges_of(real, result.input), recipe));
  ZP_ASSIGN_OR_RETURN(result.graph, apply_plan(real, plan));
  return result;
}

}  // namespace zeropoint::toolchain::random_graphs
