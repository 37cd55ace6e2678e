#include <gtest/gtest.h>

#include <limits>

#include "reference/programs_for_test.h"

namespace zeropoint {
namespace {

using namespace testing_programs;

/// The single output of a program with one input.
Tensor run_one(const Program& program, const Tensor& input) {
  Result<std::vector<Tensor>> outputs = run_reference(program, std::span(&input, 1));
  EXPECT_TRUE(outputs.ok()) << outputs.status().message();
  return outputs.ok() ? (*outputs)[0] : Tensor();
}

std::string message(const Program& program, const std::vector<Tensor>& inputs) {
  return run_reference(program, inputs).status().message();
}

/// A window of stride 1 without padding.
Window plain_window(std::size_t axes) {
  std::vector<std::int64_t> ones(axes, 1);
  std::vector<std::int64_t> zeros(axes, 0);
  return {ones, ones, ones, zeros, zeros};
}

constexpr ElementType kBytes[] = {ElementType::kInt8, ElementType::kUint8};

/// Output types a layer can have: its accumulator, or either byte.
ElementType random_output(Rng& rng) {
  constexpr ElementType kTypes[] = {ElementType::kInt32, ElementType::kInt8, ElementType::kUint8};
  return kTypes[pick(rng, 0, 2)];
}

struct ConvCase {
  Program program;
  std::vector<std::int64_t> bias;
  Tensor input;
  Shape output;
};

ConvCase random_conv(Rng& rng) {
  constexpr ElementType kInputs[] = {ElementType::kInt8, ElementType::kUint8, ElementType::kInt16,
                                     ElementType::kUint4};
  ElementType in = kInputs[pick(rng, 0, 3)];
  QuantizedRange range = storage_range(in);
  ConvOp op{0, 1, {}, {}, pick(rng, 1, 3), 0};
  op.input_zero_point = pick(rng, range.q_min, range.q_max);
  bool depthwise = pick(rng, 0, 3) == 0;
  std::int64_t in_per_group = depthwise ? 1 : pick(rng, 1, 4);
  std::int64_t channels = op.group * pick(rng, 1, 3);
  std::int64_t axes = pick(rng, 1, 3);
  std::int64_t widest = axes == 3 ? 5 : 10;
  Shape sample{op.group * in_per_group};
  Shape out{pick(rng, 1, 3), channels};
  Shape weights{channels, in_per_group};
  for (std::int64_t i = 0; i < axes; ++i) {
    std::int64_t kernel = pick(rng, 1, axes == 3 ? 2 : 4);
    std::int64_t stride = pick(rng, 1, 3);
    std::int64_t dilation = pick(rng, 1, 3);
    std::int64_t holes = pick(rng, 0, 2) == 0 ? pick(rng, 2, 3) : 1;
    std::int64_t begin = pick(rng, -1, 4);
    std::int64_t end = pick(rng, -1, 4);
    std::int64_t reach = (kernel - 1) * dilation + 1;
    std::int64_t least = std::max<std::int64_t>(1, reach - begin - end);
    std::int64_t extent = pick(rng, least, std::max(least, widest));
    weights.push_back(kernel);
    op.window.strides.push_back(stride);
    op.window.dilations.push_back(dilation);
    op.window.holes.push_back(holes);
    op.window.pads_begin.push_back(begin);
    op.window.pads_end.push_back(end);
    sample.push_back(extent);
    out.push_back(((extent - 1) * holes + 1 + begin + end - reach) / stride + 1);
  }
  bool wide = pick(rng, 0, 3) == 0 || in == ElementType::kInt16;
  RandomLayer layer =
      random_layer(wide ? ElementType::kInt16 : ElementType::kInt8, weights, op.input_zero_point, rng);
  op.layer = std::move(layer.layer);
  ElementType out_type = random_output(rng);
  if (out_type != ElementType::kInt32) {
    auto depth = static_cast<double>(op.layer.weights.size()) / static_cast<double>(channels);
    op.layer.requantization =
        random_requantization(out_type, channels, 10000 * std::sqrt(depth), pick(rng, 0, 1) == 0, rng);
  } else {
    out_type = op.layer.accumulator;
  }
  Shape input_shape = sample;
  input_shape.insert(input_shape.begin(), out[0]);
  Program program = program_of(std::move(op), batched("x", in, sample),
                               batched("y", out_type, {out.begin() + 1, out.end()}));
  return {std::move(program), std::move(layer.bias), random_integers(in, input_shape, rng), out};
}

TEST(Interpreter, ConvolvesAsTheDefinitionSays) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Rng rng(seed);
    ConvCase c = random_conv(rng);
    const auto& op = std::get<ConvOp>(c.program.operations[0]);
    std::vector<std::int64_t> expected = scattered_conv(op, c.bias, c.input, c.output);
    auto plane = static_cast<std::size_t>(*element_count({c.output.begin() + 2, c.output.end()}));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      std::size_t m = i / plane % static_cast<std::size_t>(c.output[1]);
      expected[i] = expected_output(expected[i], op.layer.requantization, m);
    }
    Tensor y = run_one(c.program, c.input);
    ASSERT_EQ(y.shape(), c.output) << "seed " << seed;
    ASSERT_EQ(integers_of(y), expected) << "seed " << seed;
  }
}

TEST(Interpreter, ConvolvesTheExtremesOfItsTypesExactly) {
  const std::pair<ElementType, std::int64_t> inputs[] = {
      {ElementType::kInt8, -128}, {ElementType::kInt8, 127}, {ElementType::kUint8, 255}};
  for (auto [type, value] : inputs) {
    for (std::int8_t weight : {std::int8_t{-128}, std::int8_t{127}}) {
      ConvOp op{0, 1, {}, {}, 1, 0};
      op.layer.weights = Tensor(ElementType::kInt8, {1, 64, 3, 3});
      std::ranges::fill(op.layer.weights.data<std::int8_t>(), weight);
      op.layer.folded_bias = {-7};
      op.window = plain_window(2);
      Program program =
          program_of(op, batched("x", type, {64, 3, 3}), batched("y", ElementType::kInt32, {1, 1, 1}));
      Tensor x(type, {1, 64, 3, 3});
      visit_integer(type, [&, v = value](auto element) {
        std::ranges::fill(x.data<decltype(element)>(), static_cast<decltype(element)>(v));
      });
      EXPECT_EQ(integers_of(run_one(program, x)), std::vector{value * weight * 64 * 9 - 7});
    }
  }
}

TEST(Interpreter, MultipliesFullyConnectedLayersAsTheDefinitionSays) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    Rng rng(seed);
    std::int64_t n = pick(rng, 1, 4);
    std::int64_t k = pick(rng, 1, 40);
    std::int64_t m = pick(rng, 1, 10);
    ElementType in = kBytes[pick(rng, 0, 1)];
    QuantizedRange range = storage_range(in);
    std::int64_t zero_point = pick(rng, range.q_min, range.q_max);
    RandomLayer layer = random_layer(ElementType::kInt8, {m, k}, zero_point, rng);
    ElementType out = random_output(rng);
    if (out != ElementType::kInt32) {
      layer.layer.requantization =
          random_requantization(out, m, 10000 * std::sqrt(static_cast<double>(k)), pick(rng, 0, 1) == 0, rng);
    }
    Tensor x = random_integers(in, {n, k}, rng);
    std::vector<std::int64_t> xs = integers_of(x);
    std::vector<std::int64_t> ws = integers_of(layer.layer.weights);
    std::vector<std::int64_t> expected;
    for (std::int64_t i = 0; i < n * m; ++i) {
      std::int64_t sum = layer.bias[static_cast<std::size_t>(i % m)];
      for (std::int64_t j = k - 1; j >= 0; --j) {
        sum += (xs[static_cast<std::size_t>(i / m * k + j)] - zero_point) *
               ws[static_cast<std::size_t>(i % m * k + j)];
      }
      expected.push_back(expected_output(sum, layer.layer.requantization, static_cast<std::size_t>(i % m)));
    }
    Program program = program_of(FullyConnectedOp{0, 1, std::move(layer.layer)}, batched("x", in, {k}),
                                 batched("y", out, {m}));
    ASSERT_EQ(integers_of(run_one(program, x)), expected) << "seed " << seed;
  }
}

TEST(Interpreter, QuantizesWithTiesToEvenAndSaturates) {
  Program program =
      program_of(QuantizeOp{0, 1, {{0.5F, 10}, {0, 63}}}, batched("x", ElementType::kFloat32, {8}),
                 batched("y", ElementType::kUint8, {8}));
  constexpr float kInf = std::numeric_limits<float>::infinity();
  Tensor x = Tensor::of<float>({1, 8}, {0.25F, 0.75F, -0.25F, 1000, -1000, kInf, -kInf, NAN});
  EXPECT_EQ(run_one(program, x), Tensor::of<std::uint8_t>({1, 8}, {10, 12, 10, 63, 0, 63, 0, 10}));
}

TEST(Interpreter, DequantizesPerTensorAndPerChannel) {
  Tensor q = Tensor::of<std::int8_t>({2, 2, 2}, {-128, 127, 0, 1, 2, 3, 4, -5});
  TensorInfo in = batched("q", ElementType::kInt8, {2, 2});
  TensorInfo out = batched("r", ElementType::kFloat32, {2, 2});
  EXPECT_EQ(run_one(program_of(DequantizeOp{0, 1, {{0.5F}, 3, 1}}, in, out), q),
            Tensor::of<float>({2, 2, 2}, {-65.5F, 62, -1.5F, -1, -0.5F, 0, 0.5F, -4}));
  EXPECT_EQ(run_one(program_of(DequantizeOp{0, 1, {{0.5F, 2}, 0, 1}}, in, out), q),
            Tensor::of<float>({2, 2, 2}, {-64, 63.5F, 0, 2, 1, 1.5F, 8, -10}));
  EXPECT_EQ(run_one(program_of(DequantizeOp{0, 1, {{0.5F, 2}, 0, -1}}, in, out), q),
            Tensor::of<float>({2, 2, 2}, {-64, 254, 0, 2, 1, 6, 2, -10}));
  EXPECT_EQ(message(program_of(DequantizeOp{0, 1, {{0.5F, 2, 1}, 0, -1}}, in, out), {q}),
            "program 'one', operation that makes 'r': 3 scales do not fit axis -1 of [2, 2, 2]");
}

TEST(Interpreter, MovesIntegersByTheOperatorsOwnEvaluation) {
  EvaluateOp flatten{Op::kFlatten, {{"axis", std::int64_t{1}}}, {0}, {1}};
  Tensor x = Tensor::of<std::uint8_t>({2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255});
  Tensor expected = x;
  expected.reshape({2, 6});
  EXPECT_EQ(run_one(program_of(flatten, batched("x", ElementType::kUint8, {2, 3}),
                               batched("y", ElementType::kUint8, {6})),
                    x),
            expected);
  // All below 0: padding that took part as 0 or as the zero point would win.
  EvaluateOp pool{Op::kMaxPool,
                  {{"kernel_shape", std::vector<std::int64_t>{2, 2}},
                   {"strides", std::vector<std::int64_t>{2, 1}},
                   {"pads", std::vector<std::int64_t>{1, 1, 1, 1}}},
                  {0},
                  {1}};
  Tensor q = Tensor::of<std::int8_t>({1, 1, 2, 3}, {-9, -128, -3, -5, -7, -2});
  EXPECT_EQ(run_one(program_of(pool, batched("x", ElementType::kInt8, {1, 2, 3}),
                               batched("y", ElementType::kInt8, {1, 2, 4})),
                    q),
            Tensor::of<std::int8_t>({1, 1, 2, 4}, {-9, -9, -3, -3, -5, -5, -2, -2}));
}

TEST(Interpreter, ResultDoesNotDependOnHowABatchIsCut) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    ConvCase c = random_conv(rng);
    Shape shape = c.input.shape();
    shape[0] = 5;
    Tensor whole = random_integers(c.input.type(), shape, rng);
    Tensor together = run_one(c.program, whole);
    std::vector<std::byte> apart;
    for (std::int64_t begin = 0; begin < 5;) {
      std::int64_t count = pick(rng, 1, 5 - begin);
      shape[0] = count;
      Tensor part(whole.type(), shape);
      std::copy_n(whole.bytes() + static_cast<std::int64_t>(whole.byte_size()) / 5 * begin, part.byte_size(),
                  part.bytes());
      Tensor y = run_one(c.program, part);
      apart.insert(apart.end(), y.bytes(), y.bytes() + y.byte_size());
      begin += count;
    }
    ASSERT_TRUE(
        std::equal(apart.begin(), apart.end(), together.bytes(), together.bytes() + together.byte_size()))
        << "seed " << seed;
  }
}

/// x float32 [?, 1] -> q uint8 -> y uint8 [?, 1, 1]
Program quantize_and_unsqueeze() {
  Program program = program_of(QuantizeOp{0, 1, {{1, 0}, {0, 255}}}, batched("x", ElementType::kFloat32, {1}),
                               batched("q", ElementType::kUint8, {1}));
  program.tensors.push_back(batched("y", ElementType::kUint8, {1, 1}));
  program.tensors.push_back({"axes", ElementType::kInt64, Shape{1},
                             std::make_shared<const Tensor>(Tensor::of<std::int64_t>({1}, {1}))});
  program.operations.emplace_back(EvaluateOp{Op::kUnsqueeze, {}, {1, 3}, {2}});
  program.outputs = {2};
  return program;
}

TEST(Interpreter, ShowsInputsAndEachResultToTheObserver) {
  std::vector<std::pair<TensorId, Tensor>> seen;
  Tensor x = Tensor::of<float>({2, 1}, {3, 4});
  Result<std::vector<Tensor>> outputs =
      run_reference(quantize_and_unsqueeze(), std::span(&x, 1),
                    [&](TensorId id, const Tensor& tensor) { seen.emplace_back(id, tensor); });
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0], std::pair(TensorId{0}, x));
  EXPECT_EQ(seen[1], std::pair(TensorId{1}, Tensor::of<std::uint8_t>({2, 1}, {3, 4})));
  EXPECT_EQ(seen[2], std::pair(TensorId{2}, Tensor::of<std::uint8_t>({2, 1, 1}, {3, 4})));
}

TEST(Interpreter, RefusesInputsThatDoNotFit) {
  Program program = program_of(QuantizeOp{0, 1, {{1, 0}, {0, 255}}}, batched("x", ElementType::kFloat32, {2}),
                               batched("q", ElementType::kUint8, {2}));
  EXPECT_EQ(message(program, {}), "program 'one' takes 1 inputs, not 0");
  EXPECT_EQ(message(program, {Tensor()}), "input 'x' is float32[]; the program needs float32[?, 2]");
  EXPECT_EQ(message(program, {Tensor(ElementType::kFloat32, {4, 3})}),
            "input 'x' is float32[4, 3]; the program needs float32[?, 2]");
  EXPECT_EQ(message(program, {Tensor(ElementType::kUint8, {4, 2})}),
            "input 'x' is uint8[4, 2]; the program needs float32[?, 2]");
}

TEST(Interpreter, RefusesResultsThatAreNotAsDeclared) {
  Program program = quantize_and_unsqueeze();
  program.tensors[2].shape = Shape{kOpenExtent, 1, 2};
  EXPECT_EQ(
      message(program, {Tensor(ElementType::kFloat32, {4, 1})}),
      "program 'one', operation that makes 'y': it gives uint8[4, 1, 1] where uint8[?, 1, 2] was declared");
}

TEST(Interpreter, RefusesWeightsThatDoNotFit) {
  ConvOp conv{0,
              1,
              {Tensor(ElementType::kInt8, {4, 2, 1, 1}), {0, 0, 0, 0}, ElementType::kInt32, {}},
              plain_window(2),
              1,
              0};
  Program program = program_of(conv, {"x", ElementType::kInt8, {}}, {"y", ElementType::kInt32, {}});
  EXPECT_EQ(
      message(program, {Tensor(ElementType::kInt8, {1, 3, 1, 1})}),
      "program 'one', operation that makes 'y': weights [4, 2, 1, 1] in 1 group(s) do not fit [1, 3, 1, 1]");
  FullyConnectedOp full{0, 1, {Tensor(ElementType::kInt8, {2, 3}), {0, 0}, ElementType::kInt32, {}}};
  program.operations = {full};
  EXPECT_EQ(message(program, {Tensor(ElementType::kInt8, {5, 4})}),
            "program 'one', operation that makes 'y': weights [2, 3] do not fit [5, 4]");
}

TEST(Interpreter, SaysWhenMemoryDoesNotHoldABatch) {
  ConvOp op{0,
            1,
            {Tensor(ElementType::kInt8, {4, 1, 1, 1}), {0, 0, 0, 0}, ElementType::kInt32, {}},
            plain_window(2),
            1,
            0};
  op.window.pads_end = {(1 << 19) - 1, (1 << 19) - 1};
  Program program = program_of(op, {"x", ElementType::kInt8, {}}, {"y", ElementType::kInt32, {}});
  Tensor x(ElementType::kInt8, {2, 1, 1, 1});
  Result<std::vector<Tensor>> outputs = run_reference(program, std::span(&x, 1));
  EXPECT_EQ(outputs.status().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace zeropoint
