#include "zeropoint/program.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace zeropoint {
namespace {

/// x float32 [?, 1, 4, 4] -> q uint8 -> Conv c uint8 [?, 2, 3, 3] -> MaxPool p [?, 2, 2, 2] -> Flatten f [?,
/// 8]
/// -> FullyConnected a int32 [?, 3] -> Dequantize y float32 [?, 3]
Program network() {
  auto batched = [](Shape sample) {
    sample.insert(sample.begin(), kOpenExtent);
    return sample;
  };
  Program program;
  program.name = "net";
  program.tensors = {
      {"x", ElementType::kFloat32, batched({1, 4, 4})}, {"q", ElementType::kUint8, batched({1, 4, 4})},
      {"c", ElementType::kUint8, batched({2, 3, 3})},   {"p", ElementType::kUint8, batched({2, 2, 2})},
      {"f", ElementType::kUint8, batched({8})},         {"a", ElementType::kInt32, batched({3})},
      {"y", ElementType::kFloat32, batched({3})}};
  LinearLayer conv{Tensor(ElementType::kInt8, {2, 1, 2, 2}),
                   {1, 2},
                   ElementType::kInt32,
                   Requantization{std::vector<float>{0.1F, 0.2F}, 3, {3, 255}}};
  LinearLayer full{Tensor(ElementType::kInt8, {3, 8}), {1, 2, 3}, ElementType::kInt32, std::nullopt};
  Window window{{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}};
  program.operations = {
      QuantizeOp{0, 1, {{0.5F, 7}, {0, 255}}},
      ConvOp{1, 2, conv, window, 1, 7},
      EvaluateOp{Op::kMaxPool, {{"kernel_shape", std::vector<std::int64_t>{2, 2}}}, {2}, {3}},
      EvaluateOp{Op::kFlatten, {}, {3}, {4}},
      FullyConnectedOp{4, 5, full},
      DequantizeOp{5, 6, {{0.1F, 0.2F, 0.3F}, 0, 1}}};
  program.inputs = {0};
  program.outputs = {6};
  return program;
}

/// The message of verify() after `change` was made to the network.
template <typename Change>
std::string after(Change change) {
  Program program = network();
  change(program);
  return verify(program).message();
}

/// The same for a change to operation `Op`.
template <typename Op, typename Change>
std::string after_op(Change change) {
  return after([&](Program& program) {
    for (Operation& operation : program.operations) {
      if (auto* op = std::get_if<Op>(&operation)) {
        change(*op);
      }
    }
  });
}

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(Program, VerifyAcceptsANetwork) { EXPECT_EQ(verify(network()).message(), ""); }

TEST(Program, VerifyRefusesOperationsOutOfOrder) {
  EXPECT_EQ(after([](Program& p) { p.inputs = {77}; }),
            "program 'net' has an input that is no tensor, a constant or another input");
  EXPECT_EQ(after([](Program& p) {
              p.inputs = {0, 0};
            }),
            "program 'net' has an input that is no tensor, a constant or another input");
  EXPECT_EQ(after([](Program& p) { p.outputs = {-1}; }), "program 'net' has an output that nothing makes");
  EXPECT_EQ(after([](Program& p) { p.operations.pop_back(); }),
            "program 'net' has an output that nothing makes");
  const std::string order = "its inputs must be made before it, and its outputs by it alone";
  EXPECT_EQ(after([](Program& p) { std::swap(p.operations[0], p.operations[1]); }),
            "program 'net', operation 0: " + order);
  for (TensorId wrong : {3, 7, -2}) {
    EXPECT_EQ(after([&](Program& p) { std::get<EvaluateOp>(p.operations[3]).outputs = {wrong}; }),
              "program 'net', operation 3: " + order);
  }
  EXPECT_EQ(after([](Program& p) { std::get<EvaluateOp>(p.operations[3]).inputs = {-2}; }),
            "program 'net', operation 3: " + order);
  EXPECT_EQ(
      after([](Program& p) { std::get<EvaluateOp>(p.operations[3]).outputs = {kNoTensor}; }).substr(0, 26),
      "program 'net', operation 4");
}

TEST(Program, VerifyRefusesConstantsThatAreOthers) {
  EXPECT_EQ(after([](Program& p) {
              p.tensors.push_back({"k", ElementType::kInt8, Shape{2},
                                   std::make_shared<const Tensor>(ElementType::kInt8, Shape{3})});
            }),
            "constant 'k' int8[2] is int8[3]");
}

TEST(Program, VerifyRefusesBorders) {
  const std::string q = "operation that makes 'q' uint8[-1, 1, 4, 4]: ";
  EXPECT_EQ(after([](Program& p) { p.tensors[0].type = ElementType::kInt8; }),
            q + "cannot quantize 'x' int8[-1, 1, 4, 4]");
  for (float scale : {0.0F, -1.0F, kNan, 1e-40F, std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(after_op<QuantizeOp>([&](QuantizeOp& op) { op.to.params.scale = scale; }),
              q + "a scale is not a positive normal number");
    EXPECT_EQ(after_op<DequantizeOp>([&](DequantizeOp& op) { op.from.scales[1] = scale; }),
              "operation that makes 'y' float32[-1, 3]: a scale is not a positive normal number");
  }
  EXPECT_EQ(after_op<QuantizeOp>([](QuantizeOp& op) { op.to.params.zero_point = 256; }),
            q + "the zero point 256 does not fit uint8");
  EXPECT_EQ(after_op<QuantizeOp>([](QuantizeOp& op) {
              op.to.range = {0, 256};
            }),
            q + "the range [0, 256] does not fit its type");
  EXPECT_EQ(after_op<QuantizeOp>([](QuantizeOp& op) {
              op.to.range = {9, 8};
            }),
            q + "the range [9, 8] does not fit its type");
  const std::string y = "operation that makes 'y' float32[-1, 3]: ";
  EXPECT_EQ(after_op<DequantizeOp>([](DequantizeOp& op) { op.from.scales.clear(); }),
            y + "there is no scale");
  EXPECT_EQ(after_op<DequantizeOp>([](DequantizeOp& op) { op.from.zero_point = kLeast; }),
            y + "the zero point -9223372036854775808 does not fit int32");
  EXPECT_EQ(after([](Program& p) { p.tensors[6].type = ElementType::kInt32; }),
            "operation that makes 'y' int32[-1, 3]: what is dequantized is float32");
}

TEST(Program, VerifyRefusesConvolutions) {
  const std::string c = "operation that makes 'c' uint8[-1, 2, 3, 3]: ";
  for (std::int64_t group : {std::int64_t{0}, std::int64_t{3}, std::int64_t{1} << 62}) {
    EXPECT_EQ(after_op<ConvOp>([&](ConvOp& op) { op.group = group; }),
              c + "weights [2, 1, 2, 2] have no " + std::to_string(group) + " groups");
  }
  const std::string window = c +
                             "strides, dilations and holes must be 1 or more, and with the pads below 2^31, "
                             "one per spatial axis of the "
                             "weights";
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.window.strides[0] = 0; }), window);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.window.holes[0] = 0; }), window);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.window.dilations[1] = std::int64_t{1} << 31; }), window);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.window.pads_begin[1] = kLeast; }), window);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.window.pads_end.pop_back(); }), window);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) {
              op.layer.weights = Tensor(ElementType::kInt8, {2, 4});
            }),
            window);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.input_zero_point = 1000; }),
            c + "the zero point 1000 does not fit uint8");
}

TEST(Program, VerifyRefusesLayers) {
  const std::string c = "operation that makes 'c' uint8[-1, 2, 3, 3]: ";
  const std::string weights = "weights must be int8, int16 or int32 and have one bias per channel";
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.layer.folded_bias = {1}; }), c + weights);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) {
              op.layer.weights = Tensor(ElementType::kUint8, {2, 1, 2, 2});
            }),
            c + weights);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) {
              op.layer.weights = Tensor(ElementType::kInt8, {2, 0, 2, 2});
            }),
            c + weights);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.layer.accumulator = ElementType::kInt16; }),
            c + "an accumulator is int32 or int64");
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.layer.requantization->multipliers = std::vector{1.0F}; }),
            c + "1 multipliers do not fit 2 channels");
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) {
              op.layer.requantization->clamp = {-1, 255};
            }),
            c + "the range [-1, 255] does not fit its type");
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.layer.requantization->zero_point = -1; }),
            c + "the zero point -1 does not fit uint8");
  const std::string a = "operation that makes 'a' int32[-1, 3]: ";
  EXPECT_EQ(after_op<FullyConnectedOp>([](FullyConnectedOp& op) {
              op.layer.weights = Tensor(ElementType::kInt8, {3, 9, 1});
            }),
            a + "weights [3, 9, 1] are no matrix");
  EXPECT_EQ(after([](Program& p) { p.tensors[5].type = ElementType::kInt8; }),
            "operation that makes 'a' int8[-1, 3]: its accumulator is int32");
  EXPECT_EQ(after([](Program& p) { p.tensors[4].type = ElementType::kInt32; }),
            a + "its inputs must be integers of at most 16 bits, not 'f' int32[-1, 8]");
}

TEST(Program, VerifyRefusesMultipliersThatAreNone) {
  const std::string why =
      "operation that makes 'c' uint8[-1, 2, 3, 3]: a multiplier is not a positive normal number";
  for (float bad : {0.0F, -0.5F, kNan, 1e-40F}) {
    EXPECT_EQ(after_op<ConvOp>([&](ConvOp& op) {
                op.layer.requantization->multipliers = std::vector{1.0F, bad};
              }),
              why);
  }
  for (FixedPointMultiplier bad :
       {FixedPointMultiplier{1 << 30, 0}, {1 << 30, 63}, {1 << 29, 30}, {-(1 << 30), 30}}) {
    EXPECT_EQ(after_op<ConvOp>([&](ConvOp& op) {
                op.layer.requantization->multipliers = std::vector{FixedPointMultiplier{1 << 30, 30}, bad};
              }),
              why);
  }
}

TEST(Program, VerifyRefusesAccumulatorsBeyondInt32) {
  auto with_bias = [](std::int32_t bias, std::int8_t weight) {
    return after_op<FullyConnectedOp>([&](FullyConnectedOp& op) {
      op.layer.weights.data<std::int8_t>()[8] = weight;
      op.layer.folded_bias[1] = bias;
    });
  };
  constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();
  EXPECT_EQ(with_bias(kMost - 255 * 100, 100), "");
  EXPECT_EQ(with_bias(kMost - 255 * 100 + 1, 100),
            "operation that makes 'a' int32[-1, 3]: its accumulator can leave int32");
  EXPECT_EQ(with_bias(-kMost - 1 + 255 * 100, -100), "");
  EXPECT_NE(with_bias(-kMost - 1 + 255 * 100 - 1, -100), "");
}

/// Two uint8 inputs a and b, and an operation that makes y of them.
std::string with(Operation operation) {
  Program program;
  program.name = "one";
  program.tensors = {
      {"a", ElementType::kUint8, {}}, {"b", ElementType::kUint8, {}}, {"y", ElementType::kInt8, {}}};
  program.operations = {std::move(operation)};
  program.inputs = {0, 1};
  program.outputs = {2};
  return verify(program).message();
}

// Where both the bias and the products are as large as is counted.
TEST(Program, VerifyRefusesAccumulatorsBeyondInt64) {
  for (std::int64_t bias : {(std::int64_t{1} << 62) - 1, std::int64_t{1} << 62, INT64_MAX}) {
    Tensor weights(ElementType::kInt32, {1, 40000});
    std::ranges::fill(weights.data<std::int32_t>(), INT32_MAX);
    Program program;
    program.name = "sums";
    program.tensors = {{"x", ElementType::kUint16, Shape{1, 40000}}, {"y", ElementType::kInt64, Shape{1, 1}}};
    program.operations = {FullyConnectedOp{0, 1, {weights, {bias}, ElementType::kInt64, std::nullopt}}};
    program.inputs = {0};
    program.outputs = {1};
    EXPECT_NE(verify(program).message().find("its accumulator can leave int64"), std::string::npos)
        << verify(program).message();
  }
}

TEST(Program, VerifyChecksEachKindOfOperation) {
  const std::string y = "operation that makes 'y' int8: ";
  Quantization to{{0.5F, 3}, {-128, 127}};
  Requantization by{std::vector<float>{0.5F}, 0, {-128, 127}};
  EXPECT_EQ(with(MatMulOp{0, 1, 2, 3, 4, by}), "");
  EXPECT_EQ(with(MatMulOp{0, 1, 2, 3, 256, by}), y + "the zero point 256 does not fit uint8");
  EXPECT_EQ(with(TableOp{0, 2, Tensor(ElementType::kInt8, {256}), 1}), "");
  EXPECT_EQ(with(TableOp{0, 2, Tensor(ElementType::kInt8, {3, 256}), 1}), "");
  EXPECT_EQ(with(TableOp{0, 2, Tensor(ElementType::kInt8, {255}), 1}),
            y + "tables int8[255] do not fit 'a' uint8");
  EXPECT_EQ(with(TableOp{0, 2, Tensor(ElementType::kUint8, {256}), 1}),
            y + "tables uint8[256] do not fit 'a' uint8");
  EXPECT_EQ(with(AddOp{0, 1, 2, {1, 3}, {2, 4}, to}), "");
  EXPECT_EQ(with(AddOp{0, 1, 2, {1, 256}, {2, 4}, to}), y + "the zero point 256 does not fit uint8");
  EXPECT_NE(with(AddOp{0, 1, 2, {1, 3}, {0, 4}, to}), "");
  ArithmeticOp add{{{0, {{1.0F}, 0, 1}}, {1, {{2.0F}, 7, 1}}}, {}, {{Op::kAdd, {}, {0, 1}}}, 2, to};
  EXPECT_EQ(with(add), "");
  add.steps[0].operands = {0, 2};
  EXPECT_EQ(with(add), y + "a step reads what is not computed before it");
  add.steps.clear();
  EXPECT_EQ(with(add), y + "no step computes anything");
  EXPECT_EQ(with(ReduceOp{0, 2, {1}, true, true, {0.0F, 0}, to}),
            y + "a scale is not a positive normal number");
  EXPECT_EQ(with(AveragePoolOp{0, 2, {}, {1, -1}, to}), y + "the zero point -1 does not fit uint8");
  SoftmaxOp softmax{0, 2, -1, false, 1, std::vector<std::int64_t>(256, 0), to};
  softmax.exponentials[0] = 1 << 30;
  EXPECT_EQ(with(softmax), "");
  softmax.exponentials[9] = -1;
  EXPECT_EQ(with(softmax), y + "exponentials must fall from 2^30, one per distance of 'a' uint8");
  NormalizeOp normalize{0, 2, NormalizeOp::Kind::kLayer, -1, 0, 1e-5F, {1}, {0}, {1, 0}, to};
  EXPECT_EQ(with(normalize), "");
  normalize.gain.clear();
  EXPECT_EQ(with(normalize),
            y + "a normalization needs gain, bias, 0 or more groups and epsilon of 0 or more");
  EXPECT_EQ(with(EvaluateOp{static_cast<Op>(9999), {}, {0}, {2}}), y + "there is no such operator");
}

TEST(Program, FindsFloatsInside) {
  EXPECT_TRUE(float_tensors_inside(network()).empty());
  // q -> real -> q again in the middle: it runs, and it is no integer program.
  Program program;
  program.tensors = {{"a", ElementType::kUint8, Shape{4}},
                     {"real", ElementType::kFloat32, Shape{4}},
                     {"b", ElementType::kUint8, Shape{4}}};
  program.operations = {DequantizeOp{0, 1, {{1}, 0, 1}}, QuantizeOp{1, 2, {{1, 0}, {0, 255}}}};
  program.inputs = {0};
  program.outputs = {2};
  ASSERT_TRUE(verify(program).ok());
  EXPECT_EQ(float_tensors_inside(program), std::vector<TensorId>{1});
}

}  // namespace
}  // namespace zeropoint
