// Programs at the edges of what the quick ways can compute: a session gives the reference's bits, on every
// instruction set at hand.

#include <gtest/gtest.h>

#include <algorithm>

#include "reference/programs_for_test.h"
#include "zeropoint/session.h"

namespace zeropoint {
namespace {

using namespace testing_programs;
using Ints = std::vector<std::int64_t>;

/// Sessions for the instruction sets that this machine has; some steps are computed by another kernel in
/// each.
template <typename Function>
void on_every_isa(const Program& program, Function function) {
  auto shared = std::make_shared<const Program>(program);
  int count = 0;
  for (Isa isa : all_isas()) {
    Result<Session> session = Session::create(shared, {.isa = isa});
    if (session.ok()) {
      SCOPED_TRACE(std::string(name_of(isa)));
      function(*session);
      ++count;
    }
  }
  EXPECT_GT(count, 0);
}

void expect_reference(const Program& program, const std::vector<Tensor>& inputs) {
  Result<std::vector<Tensor>> expected = run_reference(program, inputs);
  ASSERT_TRUE(expected.ok()) << expected.status().message();
  on_every_isa(program, [&](Session& session) {
    Result<std::vector<Tensor>> actual = session.run(inputs);
    ASSERT_TRUE(actual.ok()) << actual.status().message();
    EXPECT_EQ(*actual, *expected);
  });
}

TensorInfo open(std::string name, ElementType type) { return {std::move(name), type, std::nullopt}; }

/// A convolution with weights of [channels, depth, 1..., kernel], padded along its last axis alone.
ConvOp row_conv(TensorId input, TensorId output, Shape weights, std::int64_t pad, Rng& rng) {
  std::size_t axes = weights.size() - 2;
  std::int64_t channels = weights[0];
  ConvOp op{input, output, random_layer(ElementType::kInt8, std::move(weights), 0, rng).layer, {}};
  op.layer.requantization = random_requantization(ElementType::kUint8, channels, 20000, false, rng);
  op.window = {Ints(axes, 1), Ints(axes, 1), Ints(axes, 1), Ints(axes, 0), Ints(axes, 0)};
  op.window.pads_begin.back() = pad;
  op.window.pads_end.back() = pad;
  return op;
}

// What lies between a convolution and one with pads has a halo within its only row.
TEST(SessionExactness, ImagesOfOneRowWithAHaloAndSeveralSamples) {
  Rng rng(21);
  for (bool has_height : {false, true}) {
    auto extents = [&](std::int64_t a, std::int64_t b, std::int64_t c) {
      return has_height ? Shape{a, b, 1, c} : Shape{a, b, c};
    };
    Program program;
    program.tensors = {open("x", ElementType::kUint8), open("a", ElementType::kUint8),
                       open("b", ElementType::kUint8), open("y", ElementType::kUint8),
                       open("z", ElementType::kUint8)};
    TableOp table{1, 2, random_integers(ElementType::kUint8, {256}, rng)};
    program.operations = {row_conv(0, 1, extents(8, 4, 1), 0, rng), table,
                          row_conv(2, 3, extents(3, 8, 3), 1, rng), row_conv(3, 4, extents(5, 3, 3), 2, rng)};
    program.inputs = {0};
    program.outputs = {4, 2};
    for (std::int64_t batch : {1, 2, 3}) {
      expect_reference(program, {random_integers(ElementType::kUint8, extents(batch, 4, 10), rng)});
    }
  }
}

/// Convolutions of random extents, each with a MaxPool behind it: of one alone, or of two whose results are
/// concatenated. Where `others_read`, the first one's result is given out as well.
Program pooled_convs(Rng& rng, ElementType from, std::int64_t depth, int count, bool others_read) {
  ElementType type = pick(rng, 0, 1) == 0 ? ElementType::kUint8 : ElementType::kInt8;
  auto two = [&](std::int64_t low, std::int64_t high) {
    return Ints{pick(rng, low, high), pick(rng, low, high)};
  };
  Ints dilations = pick(rng, 0, 3) == 0 ? two(1, 2) : Ints{1, 1};
  Window window{two(1, 2), dilations, Ints{1, 1}, two(0, 2), two(0, 2)};
  std::int64_t zero_point = pick(rng, storage_range(from).q_min, storage_range(from).q_max);
  Shape kernel = two(1, 5);
  Attributes halves{{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", pick(rng, 0, 1)}};
  Program program;
  program.tensors = {open("x", from)};
  program.inputs = {0};
  std::vector<TensorId> pooled;
  for (int i = 0; i < count; ++i) {
    TensorId sums = 2 * i + 1;
    std::int64_t channels = pick(rng, 1, 17);
    ConvOp conv{
        0, sums, random_layer(ElementType::kInt8, {channels, depth, kernel[0], kernel[1]}, 0, rng).layer, {}};
    conv.layer.requantization = random_requantization(type, channels, 20000, false, rng);
    conv.window = window;
    conv.input_zero_point = zero_point;
    program.operations.emplace_back(conv);
    program.operations.emplace_back(EvaluateOp{Op::kMaxPool, halves, {sums}, {sums + 1}});
    program.tensors.push_back(open("sums" + std::to_string(i), type));
    program.tensors.push_back(open("largest" + std::to_string(i), type));
    pooled.push_back(sums + 1);
  }
  if (count > 1) {
    program.tensors.push_back(open("both", type));
    TensorId both = static_cast<TensorId>(program.tensors.size()) - 1;
    program.operations.emplace_back(EvaluateOp{Op::kConcat, {{"axis", std::int64_t{1}}}, pooled, {both}});
    pooled = {both};
  }
  program.outputs = pooled;
  if (others_read) {
    program.outputs.push_back(1);
  }
  return program;
}

// The largest of sums, requantized, is the largest of what they become.
TEST(SessionExactness, ConvolutionsOfWhichAPoolKeepsTheLargest) {
  int as_one = 0;
  for (unsigned seed = 0; seed < 80; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    std::int64_t depth = pick(rng, 1, 8);
    ElementType from = pick(rng, 0, 1) == 0 ? ElementType::kUint8 : ElementType::kInt8;
    Program program = pooled_convs(rng, from, depth, 1 + static_cast<int>(seed % 2), seed % 8 == 0);
    std::vector<std::vector<Tensor>> inputs;  // of several shapes for one session
    std::vector<std::vector<Tensor>> expected;
    for (int shape = 0; shape < 3; ++shape) {
      inputs.push_back(
          {random_integers(from, {pick(rng, 1, 3), depth, pick(rng, 10, 30), pick(rng, 10, 60)}, rng)});
      Result<std::vector<Tensor>> result = run_reference(program, inputs.back());
      ASSERT_TRUE(result.ok()) << result.status().message();
      expected.push_back(*std::move(result));
    }
    on_every_isa(program, [&](Session& session) {
      for (std::size_t shape : {0, 1, 2, 0}) {
        Result<std::vector<Tensor>> actual = session.run(inputs[shape]);
        ASSERT_TRUE(actual.ok()) << actual.status().message();
        EXPECT_EQ(*actual, expected[shape]);
      }
      as_one += std::ranges::any_of(
          session.profile(), [](const StepProfile& step) { return step.operation.ends_with("+ MaxPool"); });
    });
  }
  EXPECT_TRUE(as_one > 20 || !choose_isa(Isa::kAvx512Vnni).ok()) << as_one;
}

// Outputs that are as far apart as the holes of the input read the same taps.
TEST(SessionExactness, ConvolutionsOfInputsWithHoles) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    std::size_t axes = seed % 3 == 0 ? 1 : 2;
    std::int64_t groups = pick(rng, 1, 3);
    std::int64_t depth = pick(rng, 1, 3) == 1 ? pick(rng, 60, 70) : pick(rng, 1, 9);
    std::int64_t channels = groups * pick(rng, 1, 2) * pick(rng, 1, 20);
    Shape weights{channels, depth};
    Shape input{pick(rng, 1, 3), groups * depth};
    ConvOp conv;
    for (std::size_t axis = 0; axis < axes; ++axis) {
      weights.push_back(pick(rng, 1, 4));
      input.push_back(pick(rng, 4, 12));
      conv.window.strides.push_back(1);
      conv.window.dilations.push_back(pick(rng, 1, 2));
      conv.window.holes.push_back(axis == 0 ? pick(rng, 2, 5) : pick(rng, 1, 5));
      conv.window.pads_begin.push_back(pick(rng, -1, 4));
      conv.window.pads_end.push_back(pick(rng, -1, 4));
    }
    ElementType type = pick(rng, 0, 1) == 0 ? ElementType::kUint8 : ElementType::kInt8;
    bool ends = seed % 5 == 0;
    conv.input = 0;
    conv.output = 1;
    conv.group = groups;
    conv.input_zero_point = pick(rng, storage_range(type).q_min, storage_range(type).q_max);
    conv.layer = random_layer(ElementType::kInt8, weights, conv.input_zero_point, rng).layer;
    if (!ends) {
      conv.layer.requantization = random_requantization(type, channels, 20000, false, rng);
    }
    Program program = program_of(conv, open("x", type), open("y", ends ? ElementType::kInt32 : type));
    std::vector<Tensor> inputs{random_integers(type, input, rng)};
    expect_reference(program, inputs);
    on_every_isa(program, [&](Session& session) {
      ASSERT_TRUE(session.run(inputs).ok());
      EXPECT_TRUE(std::ranges::none_of(session.profile(),
                                       [](const StepProfile& step) { return step.kernel == "reference"; }));
    });
    if (::testing::Test::HasFailure()) {
      return;
    }
  }
}

// Half a megabyte of weights meets all samples before the rest does.
TEST(SessionExactness, MoreWeightsThanACacheKeeps) {
  Rng rng(23);
  Program program = program_of(row_conv(0, 1, {70, 2000, 3}, 1, rng), open("x", ElementType::kUint8),
                               open("y", ElementType::kUint8));
  expect_reference(program, {random_integers(ElementType::kUint8, {3, 2000, 5}, rng)});
}

TEST(SessionExactness, DivisionByWhatOnlyARunKnows) {
  Program program;
  program.tensors = {open("a", ElementType::kInt64), open("b", ElementType::kInt64),
                     open("q", ElementType::kInt64), open("r", ElementType::kInt64)};
  program.operations = {EvaluateOp{Op::kDiv, {}, {0, 1}, {2}}, EvaluateOp{Op::kMod, {}, {0, 1}, {3}}};
  program.inputs = {0, 1};
  program.outputs = {2, 3};
  Tensor a = Tensor::of<std::int64_t>({2, 2}, Ints{7, -7, 9, 1});
  expect_reference(program, {a, Tensor::of<std::int64_t>({2}, Ints{2, 3})});
}

TEST(SessionExactness, ScalesThatOnlyARunKnows) {
  Program program;
  program.tensors = {open("x", ElementType::kUint8), open("s", ElementType::kFloat32),
                     open("z", ElementType::kUint8), open("sum", ElementType::kUint8),
                     open("product", ElementType::kUint8)};
  program.operations = {EvaluateOp{Op::kQLinearAdd, {}, {0, 1, 2, 0, 1, 2, 1, 2}, {3}},
                        EvaluateOp{Op::kQLinearMatMul, {}, {0, 1, 2, 0, 1, 2, 1, 2}, {4}}};
  program.inputs = {0, 1, 2};
  program.outputs = {3, 4};
  Rng rng(22);
  expect_reference(program, {random_integers(ElementType::kUint8, {3, 3}, rng),
                             Tensor::of<float>({}, std::vector<float>{0.5F}),
                             Tensor::of<std::uint8_t>({}, std::vector<std::uint8_t>{3})});
}

// 3000 * 3000 * 255 does not fit int32.
TEST(SessionExactness, MeansOfVeryLargeImages) {
  Program program =
      program_of(AveragePoolOp{0, 1, {{"kernel_shape", Ints{3000, 3000}}}, {1, 0}, {{1, 0}, {0, 255}}},
                 open("x", ElementType::kUint8), open("y", ElementType::kUint8));
  Tensor input(ElementType::kUint8, {1, 1, 3000, 3000});
  std::fill(input.data<std::uint8_t>().begin(), input.data<std::uint8_t>().end(), std::uint8_t{255});
  expect_reference(program, {input});
}

// 0 * infinity is no number; the scales lie further apart than float32 reaches.
TEST(SessionExactness, MeansBetweenScalesFarApart) {
  QuantParams from{1e30F, 0};
  Quantization to{{1e-30F, 5}, {-128, 127}};
  TensorInfo x = open("x", ElementType::kInt8);
  TensorInfo y = open("y", ElementType::kInt8);
  std::vector<Tensor> zeros{Tensor(ElementType::kInt8, {1, 2, 2, 2})};
  expect_reference(program_of(ReduceOp{0, 1, {2, 3}, true, true, from, to}, x, y), zeros);
  expect_reference(program_of(AveragePoolOp{0, 1, {{"kernel_shape", Ints{2, 2}}}, from, to}, x, y), zeros);
}

// The sums of the program fit int32, those of its input shifted by 128 do not.
TEST(SessionExactness, SumsAtTheEndOfTheAccumulator) {
  constexpr std::int64_t kDepth = 133100;
  FullyConnectedOp op{
      1, 2, {Tensor(ElementType::kInt8, {1, kDepth}), {0}, ElementType::kInt32, std::nullopt}};
  std::fill(op.layer.weights.data<std::int8_t>().begin(), op.layer.weights.data<std::int8_t>().end(),
            std::int8_t{127});
  Program program;
  program.tensors = {open("x", ElementType::kFloat32), open("q", ElementType::kInt8),
                     open("y", ElementType::kInt32)};
  program.operations = {QuantizeOp{0, 1, {{1, 0}, {0, 127}}}, op};
  program.inputs = {0};
  program.outputs = {2};
  Tensor input(ElementType::kFloat32, {1, kDepth});
  std::fill(input.data<float>().begin(), input.data<float>().end(), 127.0F);
  expect_reference(program, {input});
}

// No step reads the second operand, whose shape fits nothing.
TEST(SessionExactness, OperandsThatNoStepReads) {
  ArithmeticOp op;
  op.inputs = {{0, {{1.0F}, 0, 1}}};
  op.steps = {{Op::kAdd, {}, {0, 0}}};
  op.to = {{1.0F, 0}, {-128, 127}};
  op.output = 2;
  Program program;
  program.tensors = {open("x", ElementType::kInt8), open("z", ElementType::kInt8),
                     open("y", ElementType::kInt8)};
  program.inputs = {0, 1};
  program.outputs = {2};
  Rng rng(23);
  Tensor x = random_integers(ElementType::kInt8, {4, 1000}, rng);
  op.constants = {Tensor(ElementType::kFloat32, {2})};
  program.operations = {op};
  expect_reference(program, {x, Tensor(ElementType::kInt8, {2})});
  op.constants.clear();
  op.inputs.push_back({1, {{1.0F}, 0, 1}});
  program.operations = {op};
  expect_reference(program, {x, Tensor(ElementType::kInt8, {2})});
}

/// A convolution of one pixel whose window reaches as far as a program may say.
Program far_conv(std::size_t axes, std::int64_t channels, std::int64_t stride, std::int64_t pad_begin,
                 std::int64_t pad_end) {
  Shape weights{1, channels};
  weights.insert(weights.end(), axes, 1);
  ConvOp op{0, 1, {Tensor(ElementType::kInt8, weights), {3}, ElementType::kInt32, std::nullopt}, {}};
  op.window = {Ints(axes, stride), Ints(axes, 1), Ints(axes, 1), Ints(axes, pad_begin), Ints(axes, pad_end)};
  return program_of(op, open("x", ElementType::kUint8), open("y", ElementType::kInt32));
}

TEST(SessionExactness, PadsThatNoMemoryCouldHold) {
  constexpr std::int64_t kFar = (std::int64_t{1} << 31) - 1;
  expect_reference(far_conv(1, 1, kFar, 0, kFar), {Tensor(ElementType::kUint8, {1, 1, 1})});
  expect_reference(far_conv(2, 4, kFar, 0, kFar), {Tensor(ElementType::kUint8, {1, 4, 1, 1})});
  expect_reference(far_conv(2, 4, kFar, kFar, kFar), {Tensor(ElementType::kUint8, {1, 4, 1, 1})});
}

TEST(SessionExactness, AxesInAnyOrder) {
  Rng rng(24);
  for (ElementType type :
       {ElementType::kInt8, ElementType::kUint8, ElementType::kInt16, ElementType::kInt64}) {
    for (int i = 0; i < 20; ++i) {
      Shape shape(static_cast<std::size_t>(pick(rng, 0, 5)));
      Ints perm(shape.size());
      for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        shape[axis] = pick(rng, 1, 5) == 1 ? 300 / (1 + std::ssize(shape) * 10) : pick(rng, 1, 4);
        perm[axis] = static_cast<std::int64_t>(axis);
      }
      std::shuffle(perm.begin(), perm.end(), rng);
      Attributes attributes;
      if (i != 0) {
        attributes["perm"] = perm;
      }
      expect_reference(
          program_of(EvaluateOp{Op::kTranspose, attributes, {0}, {1}}, open("x", type), open("y", type)),
          {random_integers(type, shape, rng)});
    }
  }
}

// Series along one of them would be far too many steps.
TEST(SessionExactness, ATransposeOfManyShortAxes) {
  Program program = program_of(EvaluateOp{Op::kTranspose, {}, {0}, {1}}, open("x", ElementType::kUint8),
                               open("y", ElementType::kUint8));
  Rng rng(26);
  std::vector<Tensor> inputs{random_integers(ElementType::kUint8, Shape(22, 2), rng)};
  Result<std::vector<Tensor>> expected = run_reference(program, inputs);
  Session session = *Session::create(std::make_shared<const Program>(program));
  EXPECT_EQ(*session.run(inputs), *expected);
  EXPECT_LT(session.memory().moves, std::int64_t{1} << 26);
}

// Where each element goes need not be written down for each.
TEST(SessionExactness, ALargeTransposeIsPlannedInLittleMemory) {
  Rng rng(25);
  Program program = program_of(EvaluateOp{Op::kTranspose, {}, {0}, {1}}, open("x", ElementType::kInt32),
                               open("y", ElementType::kInt32));
  std::vector<Tensor> inputs{random_integers(ElementType::kInt32, {1100, 1300}, rng)};
  expect_reference(program, inputs);
  on_every_isa(program, [&](Session& session) {
    ASSERT_TRUE(session.run(inputs).ok());
    EXPECT_GT(session.memory().moves, 0);
    EXPECT_LT(session.memory().moves, 1 << 20);
    EXPECT_EQ(session.profile()[0].kernel, "move");
  });
}

TEST(SessionExactness, WeightsDoNotGrowWithTheStride) {
  constexpr std::int64_t kStride = std::int64_t{1} << 20;
  Program program = far_conv(1, 1, kStride, 0, kStride);
  std::vector<Tensor> inputs{Tensor(ElementType::kUint8, {1, 1, 1})};
  expect_reference(program, inputs);
  on_every_isa(program, [&](Session& session) {
    ASSERT_TRUE(session.run(inputs).ok());
    EXPECT_LT(session.memory().weights, 1 << 14);
  });
}

}  // namespace
}  // namespace zeropoint
