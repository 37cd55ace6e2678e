// Programs that nobody would compile, as a file can hold them: each is refused in words, or computed as the
// reference does it, in little time and memory.

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include "reference/programs_for_test.h"
#include "zeropoint/integer_ranges.h"
#include "zeropoint/program_file.h"
#include "zeropoint/session.h"

namespace zeropoint {
namespace {

using namespace testing_programs;

constexpr std::int64_t kMost64 = std::numeric_limits<std::int64_t>::max();

TensorInfo open(std::string name, ElementType type) { return {std::move(name), type, std::nullopt}; }

TensorInfo constant(std::string name, Tensor value) {
  auto shared = std::make_shared<const Tensor>(std::move(value));
  return {std::move(name), shared->type(), shared->shape(), shared};
}

/// A program of one operator from the first tensors to the last one.
Program evaluation(Op op, std::vector<TensorInfo> tensors, std::vector<TensorId> inputs,
                   std::vector<TensorId> outputs, Attributes attributes = {}) {
  Program program;
  program.name = "hostile";
  program.tensors = std::move(tensors);
  for (std::size_t i = 0; i + 1 < program.tensors.size(); ++i) {
    if (program.tensors[i].constant == nullptr) {
      program.inputs.push_back(static_cast<TensorId>(i));
    }
  }
  program.outputs = {static_cast<TensorId>(program.tensors.size()) - 1};
  program.operations = {EvaluateOp{op, std::move(attributes), std::move(inputs), std::move(outputs)}};
  return program;
}

/// What the session says, which must be an error.
std::string refusal(const Program& program, const std::vector<Tensor>& inputs) {
  Result<Session> session = Session::create(std::make_shared<const Program>(program));
  if (!session.ok()) {
    return session.status().message();
  }
  Result<std::vector<Tensor>> outputs = session->run(inputs);
  return outputs.ok() ? "it ran" : outputs.status().message();
}

void expect_ends_with(const std::string& text, const std::string& end) {
  EXPECT_TRUE(text.size() >= end.size() && text.substr(text.size() - end.size()) == end) << text;
}

TEST(HostilePrograms, OperatorsWithoutTheirInputsOrOutputs) {
  TensorInfo x = open("x", ElementType::kFloat32);
  TensorInfo y = open("y", ElementType::kFloat32);
  const std::string counts = " cannot have these inputs and outputs";
  auto message = [](const Program& program) { return verify(program).message(); };
  expect_ends_with(message(evaluation(Op::kConv, {x, y}, {0}, {1})), "Conv" + counts);
  expect_ends_with(message(evaluation(Op::kConv, {x, y}, {0, kNoTensor}, {1})), "Conv" + counts);
  expect_ends_with(message(evaluation(Op::kMatMul, {x, y}, {0, 0}, {kNoTensor, 1})), "MatMul" + counts);
  expect_ends_with(message(evaluation(Op::kRelu, {x, y}, {0, 0}, {1})), "Relu" + counts);
  expect_ends_with(message(evaluation(Op::kMaxPool, {x, y}, {0}, {kNoTensor, 1})),
                   "its first output is missing");

  ArithmeticOp arithmetic;
  arithmetic.inputs = {{0, {{1.0F}, 0, 1}}};
  arithmetic.to = {{1.0F, 0}, {-128, 127}};
  arithmetic.output = 1;
  for (std::vector<std::int32_t> operands : {std::vector<std::int32_t>{0}, {0, -1}, {0, 0, 0}}) {
    arithmetic.steps = {{Op::kAdd, {}, operands}};
    Program program = program_of(arithmetic, open("x", ElementType::kInt8), open("y", ElementType::kInt8));
    expect_ends_with(message(program), "Add" + counts);
  }
}

TEST(HostilePrograms, OutputsOfAnotherTypeThanDeclared) {
  Attributes to_int8{{"to", std::int64_t{3}}};
  Program fold = evaluation(
      Op::kCast, {constant("c", Tensor(ElementType::kFloat32, {1000})), open("y", ElementType::kFloat64)},
      {0}, {1}, to_int8);
  expect_ends_with(refusal(fold, {}), "it gives int8 where float64 was declared");
  Tensor floats(ElementType::kFloat32, {2, 2});
  Program reshape = evaluation(Op::kReshape,
                               {open("x", ElementType::kFloat32),
                                constant("s", Tensor::of<std::int64_t>({1}, std::vector<std::int64_t>{4})),
                                open("y", ElementType::kInt8)},
                               {0, 1}, {2});
  expect_ends_with(refusal(reshape, {floats}), "it gives float32 where int8 was declared");
  Program sign =
      evaluation(Op::kIdentity, {open("x", ElementType::kUint8), open("y", ElementType::kInt8)}, {0}, {1});
  expect_ends_with(refusal(sign, {Tensor(ElementType::kUint8, {4})}),
                   "it gives uint8 where int8 was declared");
  Program product =
      evaluation(Op::kMatMul, {open("x", ElementType::kFloat32), open("y", ElementType::kInt8)}, {0, 0}, {1});
  expect_ends_with(refusal(product, {floats}), "it gives float32 where int8 was declared");
  Program conv =
      evaluation(Op::kConv, {open("x", ElementType::kFloat32), open("y", ElementType::kInt8)}, {0, 0}, {1});
  expect_ends_with(refusal(conv, {Tensor(ElementType::kFloat32, {1, 1, 1})}),
                   "it gives float32 where int8 was declared");
}

TEST(HostilePrograms, ZeroPointsOf64Bits) {
  const std::string wide = "int64 has more than the 32 bits of quantized integers";
  QuantizeOp quantize{0, 1, {{1.0F, kMost64}, {0, 100}}};
  expect_ends_with(
      verify(program_of(quantize, open("x", ElementType::kFloat32), open("y", ElementType::kInt64)))
          .message(),
      wide);
  DequantizeOp dequantize{0, 1, {{1.0F}, -kMost64, 1}};
  Program reals = program_of(dequantize, open("x", ElementType::kInt64), open("y", ElementType::kFloat32));
  expect_ends_with(verify(reals).message(), wide);
  std::get<DequantizeOp>(reals.operations[0]).from.zero_point = 0;  // as a wide accumulator has
  EXPECT_EQ(verify(reals).message(), "");
  FullyConnectedOp layer{0,
                         1,
                         {Tensor(ElementType::kInt8, {1, 4}),
                          {5},
                          ElementType::kInt32,
                          Requantization{std::vector<float>{1}, kMost64, {0, 9}}}};
  expect_ends_with(
      verify(program_of(layer, open("x", ElementType::kInt8), open("y", ElementType::kInt64))).message(),
      wide);
}

TEST(HostilePrograms, ElementsBeyondTheirType) {
  for (auto [type, wrong, range] : {std::tuple(ElementType::kBool, 2, "bool, whose bytes are 0 and 1"),
                                    std::tuple(ElementType::kUint4, 16, "uint4, whose bytes are 0 to 15"),
                                    std::tuple(ElementType::kInt4, 8, "int4, whose bytes are -8 to 7"),
                                    std::tuple(ElementType::kInt4, 247, "int4, whose bytes are -8 to 7")}) {
    Program program = evaluation(Op::kIdentity, {open("x", type), open("y", type)}, {0}, {1});
    Tensor x(type, {3});
    EXPECT_EQ(refusal(program, {x}), "it ran");
    x.bytes()[1] = static_cast<std::byte>(wrong);
    std::string message = "'x' is " + std::string(range) + "; others are among its elements";
    EXPECT_EQ(refusal(program, {x}), message);
    EXPECT_EQ(run_reference(program, {&x, 1}).status().message(), message);
    if (type != ElementType::kBool) {
      program.tensors[0] = constant("x", x);
      program.inputs.clear();
      EXPECT_EQ(verify(program).message(), message);
    }
  }
}

// What is computed on int4 stays int4, which a table is then indexed by.
TEST(HostilePrograms, SumsOfFourBitsWrapAround) {
  Program program =
      evaluation(Op::kCumSum,
                 {open("x", ElementType::kInt4), constant("axis", Tensor(ElementType::kInt64, {})),
                  open("sums", ElementType::kInt4)},
                 {0, 1}, {2});
  Tensor table(ElementType::kInt8, {16});
  for (int i = 0; i < 16; ++i) {
    table.data<std::int8_t>()[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(i - 8);
  }
  program.tensors.push_back(open("y", ElementType::kInt8));
  program.operations.emplace_back(TableOp{2, 3, table});
  program.outputs = {3};
  Session session = *Session::create(std::make_shared<const Program>(program));
  for (auto [element, sum] : {std::pair(7, -2), {-8, 0}, {3, 6}, {-5, 6}}) {  // modulo 16
    Tensor x(ElementType::kInt4, {2});
    x.data<std::int8_t>()[0] = x.data<std::int8_t>()[1] = static_cast<std::int8_t>(element);
    Result<std::vector<Tensor>> outputs = session.run({&x, 1});
    ASSERT_TRUE(outputs.ok()) << outputs.status().message();
    EXPECT_EQ((*outputs)[0].data<std::int8_t>()[1], sum);
  }
}

TEST(HostilePrograms, ExtentsThatOverflowBesideOneOfNothing) {
  constexpr std::int64_t kFar = std::int64_t{1} << 62;
  ConvOp conv{0, 1, {Tensor(ElementType::kInt8, {1, 1, 1}), {0}, ElementType::kInt32, std::nullopt}, {}};
  conv.window = {{1}, {1}, {4}, {0}, {0}};
  Program program = program_of(conv, open("x", ElementType::kInt8), open("y", ElementType::kInt32));
  Tensor x(ElementType::kInt8, {0, 1, kFar});
  expect_ends_with(refusal(program, {x}), "an input of " + to_string(x.shape()) + " is too large");
  EXPECT_EQ(run_reference(program, {&x, 1}).status().code(), StatusCode::kResourceExhausted);

  constexpr std::int64_t kGroups = std::int64_t{1} << 40;
  Program transposed = evaluation(
      Op::kConvTranspose,
      {open("x", ElementType::kFloat32), constant("w", Tensor(ElementType::kFloat32, {0, kGroups, 1})),
       open("y", ElementType::kFloat32)},
      {0, 1}, {2}, {{"group", kGroups}});
  EXPECT_NE(refusal(transposed, {Tensor(ElementType::kFloat32, {1, 0, 3})}).find("are too many"),
            std::string::npos);
}

TEST(HostilePrograms, ManyStepsWithoutAState) {
  constexpr std::int64_t kSteps = std::int64_t{1} << 40;
  Program program =
      evaluation(Op::kRNN,
                 {open("x", ElementType::kFloat32), constant("w", Tensor(ElementType::kFloat32, {1, 0, 0})),
                  open("y", ElementType::kFloat32)},
                 {0, 1, 1}, {2});
  EXPECT_EQ(refusal(program, {Tensor(ElementType::kFloat32, {kSteps, 1, 0})}), "it ran");
}

// A file can name the same weights any number of times.
TEST(HostilePrograms, SharedWeightsAreReadOnce) {
  Tensor weights(ElementType::kInt16, {1, std::int64_t{1} << 21});
  auto program_with = [&](int count) {
    Program program;
    program.tensors = {open("x", ElementType::kInt8)};
    for (int i = 0; i < count; ++i) {
      FullyConnectedOp op{0, i + 1, {weights, {i}, ElementType::kInt64, std::nullopt}};
      program.tensors.push_back(open("y" + std::to_string(i), ElementType::kInt64));
      program.operations.emplace_back(std::move(op));
    }
    program.inputs = {0};
    program.outputs = {1};
    return *serialize(program);
  };
  auto seconds_of = [](const std::vector<std::byte>& file) {
    double least = 1e9;
    for (int repeat = 0; repeat < 3; ++repeat) {
      auto begin = std::chrono::steady_clock::now();
      EXPECT_TRUE(parse_program(file).ok());
      least =
          std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    return least;
  };
  std::vector<std::byte> one = program_with(1);
  std::vector<std::byte> many = program_with(30);
  ASSERT_LT(many.size(), one.size() + (1U << 20));  // the file holds them once
  EXPECT_LT(seconds_of(many), 5 * seconds_of(one) + 0.01);
}

TEST(HostilePrograms, RangesOfLayersAreThoseOfTheirChannels) {
  Rng rng(32);
  AccumulatorRanges ranges;
  for (ElementType type : {ElementType::kInt8, ElementType::kInt16, ElementType::kInt32}) {
    LinearLayer layer{random_integers(type, {3, 100}, rng),
                      {pick(rng, -1000, 1000), 7, -kMost64},
                      ElementType::kInt64,
                      std::nullopt};
    for (QuantizedRange input : {QuantizedRange{0, 255}, {-128, 127}, {-32768, 32767}, {5, 9}, {-9, -5}}) {
      QuantizedRange expected{0, 0};
      visit_integer(type, [&](auto element) {
        using Weight = decltype(element);
        if constexpr (std::is_signed_v<Weight> && sizeof(Weight) <= 4) {
          for (std::size_t m = 0; m < 3; ++m) {
            std::span<const Weight> weights = std::as_const(layer.weights).data<Weight>();
            QuantizedRange own =
                accumulator_bounds(weights.subspan(m * 100, 100), input, layer.folded_bias[m]);
            expected = {std::min(expected.q_min, own.q_min), std::max(expected.q_max, own.q_max)};
          }
        }
      });
      EXPECT_EQ(ranges.of(layer, input), expected);
    }
  }
}

}  // namespace
}  // namespace zeropoint
