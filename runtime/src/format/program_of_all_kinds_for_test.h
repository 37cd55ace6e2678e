#pragma once

// A small network with every kind of operation, layers of 8, 4 and 2 bits, and both ways to requantize. The
// same each time it is made: the first version's fixture holds it.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/program.h"

namespace zeropoint::testing_programs {

/// Numbers that look random and are the same everywhere.
class Sequence {
 public:
  std::int64_t next(std::int64_t least, std::int64_t most) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return least + static_cast<std::int64_t>((state_ >> 33) % static_cast<std::uint64_t>(most - least + 1));
  }
  Tensor int8s(Shape shape, std::int64_t least, std::int64_t most) {
    Tensor tensor(ElementType::kInt8, std::move(shape));
    for (std::int8_t& element : tensor.data<std::int8_t>()) {
      element = static_cast<std::int8_t>(next(least, most));
    }
    return tensor;
  }

 private:
  std::uint64_t state_ = 1;
};

class AllKinds {
 public:
  Program make() {
    program_.name = "all kinds";
    TensorId image = tensor("image", ElementType::kFloat32, Shape{kOpenExtent, 4, 6, 6});
    program_.inputs = {image};
    TensorId x = quantized("x", {kOpenExtent, 4, 6, 6});
    add(QuantizeOp{image, x, {{0.02F, 3}, kInt8}});
    TensorId conv = quantized("conv", {kOpenExtent, 8, 6, 6});
    add(ConvOp{x, conv, layer({8, 4, 3, 3}, -128, 127, floats(8)), window(3), 1, 3});
    TensorId depthwise = quantized("depthwise", {kOpenExtent, 8, 6, 6});
    add(ConvOp{conv, depthwise, layer({8, 1, 3, 3}, -8, 7, fixed(8)), window(3), 8, -5});
    TensorId sum = quantized("sum", {kOpenExtent, 8, 6, 6});
    add(AddOp{conv, depthwise, sum, {0.03F, -5}, {0.01F, 7}, {{0.04F, -128}, {-128, 127}}});
    TensorId table = quantized("table", {kOpenExtent, 8, 6, 6});
    add(TableOp{sum, table, numbers_.int8s({8, 256}, -128, 127), 1});
    TensorId pool = quantized("pool", {kOpenExtent, 8, 3, 3});
    add(AveragePoolOp{table,
                      pool,
                      {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}},
                      {0.05F, 1},
                      {{0.04F, 2}, kInt8}});
    TensorId flat = quantized("flat", {kOpenExtent, 72});
    add(EvaluateOp{Op::kFlatten, {{"axis", std::int64_t{1}}}, {pool}, {flat}});
    TensorId dense = quantized("dense", {kOpenExtent, 16});
    add(FullyConnectedOp{flat, dense, layer({16, 72}, -2, 1, floats(16))});
    TensorId normal = quantized("normal", {kOpenExtent, 16});
    add(NormalizeOp{dense,
                    normal,
                    NormalizeOp::Kind::kLayer,
                    -1,
                    1,
                    1e-5F,
                    std::vector<float>(16, 1.5F),
                    {0.25F},
                    {0.1F, 4},
                    {{0.03F, 0}, kInt8}});
    TensorId turned = quantized("turned", {16, kOpenExtent});
    add(EvaluateOp{Op::kTranspose, {{"perm", Ints{1, 0}}}, {normal}, {turned}});
    TensorId product = quantized("product", {kOpenExtent, kOpenExtent});
    add(MatMulOp{normal, turned, product, 0, 0, {std::vector<float>{0.001F}, -7, kInt8}});
    TensorId scaled = quantized("scaled", {kOpenExtent, 16});
    add(ArithmeticOp{{{normal, {{0.03F}, 0, 1}}, {dense, {{0.1F}, 4, 1}}},
                     {Tensor::of<float>({1}, {-0.0F})},
                     {{Op::kMul, {}, {0, 1}}, {Op::kAdd, {}, {3, 2}}},
                     scaled,
                     {{0.05F, -1}, kInt8}});
    TensorId chances = quantized("chances", {kOpenExtent, 16});
    add(SoftmaxOp{scaled, chances, -1, false, 0.05F, exponentials(), {{1.0F / 256, -128}, kInt8}});
    TensorId mean = quantized("mean", {kOpenExtent, 1});
    add(ReduceOp{scaled, mean, {-1}, true, true, {0.05F, -1}, {{0.02F, 9}, kInt8}});
    LinearLayer last = layer({3, 16}, -128, 127, std::nullopt);
    TensorId sums = tensor("sums", ElementType::kInt32, Shape{kOpenExtent, 3});
    add(FullyConnectedOp{scaled, sums, std::move(last)});
    TensorId scores = tensor("scores", ElementType::kFloat32, Shape{kOpenExtent, 3});
    add(DequantizeOp{sums, scores, {{0.001F, 0.002F, 0.003F}, 0, 1}});
    TensorId constant = tensor("shift", ElementType::kFloat32, Shape{3});
    program_.tensors.back().constant =
        std::make_shared<const Tensor>(Tensor::of<float>({3}, {1.0F, -2.0F, 0.5F}));
    TensorId shifted = tensor("shifted", ElementType::kFloat32, std::nullopt);
    add(EvaluateOp{Op::kAdd, {}, {scores, constant}, {shifted}});
    program_.outputs = {shifted, product, chances, mean};
    return std::move(program_);
  }

 private:
  using Ints = std::vector<std::int64_t>;
  static constexpr QuantizedRange kInt8{-128, 127};

  TensorId tensor(std::string name, ElementType type, std::optional<Shape> shape) {
    program_.tensors.push_back({std::move(name), type, std::move(shape)});
    return static_cast<TensorId>(program_.tensors.size() - 1);
  }
  TensorId quantized(std::string name, Shape shape) {
    return tensor(std::move(name), ElementType::kInt8, std::move(shape));
  }
  void add(Operation operation) { program_.operations.push_back(std::move(operation)); }

  static Window window(std::int64_t kernel) {
    Ints pads(2, kernel / 2);
    return {{1, 1}, {1, 1}, {1, 1}, pads, pads};
  }

  Requantization floats(std::size_t channels) {
    std::vector<float> multipliers;
    for (std::size_t i = 0; i < channels; ++i) {
      multipliers.push_back(0.002F + 0.0005F * static_cast<float>(i));
    }
    return {multipliers, -5, kInt8};
  }
  Requantization fixed(std::size_t channels) {
    std::vector<FixedPointMultiplier> multipliers;
    for (std::size_t i = 0; i < channels; ++i) {
      multipliers.push_back(*fixed_point_multiplier(0.01F, 1, 1.0F + static_cast<float>(i)));
    }
    return {multipliers, 7, {7, 127}};
  }
  LinearLayer layer(Shape weights, std::int64_t least, std::int64_t most,
                    std::optional<Requantization> requantization) {
    LinearLayer layer;
    for (std::int64_t i = 0; i < weights[0]; ++i) {
      layer.folded_bias.push_back(numbers_.next(-3000, 3000));
    }
    layer.weights = numbers_.int8s(std::move(weights), least, most);
    layer.requantization = std::move(requantization);
    return layer;
  }
  /// Not those of exp(), which another machine might round otherwise: any that fall.
  static std::vector<std::int64_t> exponentials() {
    std::vector<std::int64_t> list;
    for (std::int64_t e = std::int64_t{1} << 30; list.size() < 256; e -= e / 20) {
      list.push_back(e);
    }
    return list;
  }

  Program program_;
  Sequence numbers_;
};

inline Program program_of_all_kinds() { return AllKinds().make(); }

/// Images in [-3, 3] for it.
inline Tensor images_for_all_kinds(std::int64_t count) {
  Sequence numbers;
  Tensor images(ElementType::kFloat32, {count, 4, 6, 6});
  for (float& element : images.data<float>()) {
    element = static_cast<float>(numbers.next(-3000, 3000)) / 1000;
  }
  return images;
}

}  // namespace zeropoint::testing_programs
