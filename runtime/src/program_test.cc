#include "zeropoint/program.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace zeropoint {
namespace {

/// x float32 [1, 4, 4] -> q uint8 -> Conv c uint8 [2, 3, 3] -> MaxPool p [2, 2, 2] -> Reshape f [8]
/// -> FullyConnected a int32 [3] -> Dequantize y float32 [3]
Program network() {
  Program program;
  program.name = "net";
  program.tensors = {{"x", ElementType::kFloat32, {1, 4, 4}}, {"q", ElementType::kUint8, {1, 4, 4}},
                     {"c", ElementType::kUint8, {2, 3, 3}},   {"p", ElementType::kUint8, {2, 2, 2}},
                     {"f", ElementType::kUint8, {8}},         {"a", ElementType::kInt32, {3}},
                     {"y", ElementType::kFloat32, {3}}};
  LinearLayer conv{Tensor(ElementType::kInt8, {2, 1, 2, 2}),
                   {1, 2},
                   Requantization{std::vector<float>{0.1F, 0.2F}, 3, {3, 255}}};
  LinearLayer full{Tensor(ElementType::kInt8, {3, 8}), {1, 2, 3}, std::nullopt};
  Window2d two;
  two.kernel[0] = two.kernel[1] = 2;
  program.operations = {QuantizeOp{0, 1, {0.5F, 7}, {0, 255}},
                        ConvOp{1, 2, conv, two, 1, 7},
                        MaxPoolOp{2, 3, two},
                        ReshapeOp{3, 4},
                        FullyConnectedOp{4, 5, full},
                        DequantizeOp{5, 6, {0.1F, 0.2F, 0.3F}, 0}};
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

TEST(Program, VerifyRefusesTensorsThatCannotBe) {
  EXPECT_EQ(after([](Program& p) {
              p.tensors[3].sample_shape = {-1, 2, 2};
            }),
            "tensor 'p': shape [-1, 2, 2] has a negative extent");
  EXPECT_EQ(after([](Program& p) {
              p.tensors[3].sample_shape = {1LL << 32, 1LL << 31, 1};
            }),
            "tensor 'p': shape [4294967296, 2147483648, 1] has more elements than 63 bits can count");
}

TEST(Program, VerifyRefusesOperationsOutOfOrder) {
  EXPECT_EQ(after([](Program& p) { p.inputs = {77}; }), "program 'net' has an input that is no tensor");
  EXPECT_EQ(after([](Program& p) { p.outputs = {-1}; }), "program 'net' has an output that nothing makes");
  EXPECT_EQ(after([](Program& p) { p.operations.pop_back(); }),
            "program 'net' has an output that nothing makes");
  const std::string order = "its input must be made before it, and its output by it alone";
  EXPECT_EQ(after([](Program& p) { std::swap(p.operations[0], p.operations[1]); }),
            "program 'net', operation 0: " + order);
  EXPECT_EQ(after([](Program& p) { std::get<ReshapeOp>(p.operations[3]).output = 3; }),
            "program 'net', operation 3: " + order);
  EXPECT_EQ(after([](Program& p) { std::get<ReshapeOp>(p.operations[3]).output = 7; }),
            "program 'net', operation 3: " + order);
  EXPECT_EQ(after([](Program& p) { std::get<ReshapeOp>(p.operations[3]).input = -1; }),
            "program 'net', operation 3: " + order);
}

TEST(Program, VerifyRefusesBorders) {
  const std::string q = "operation that makes 'q' uint8[1, 4, 4]: ";
  EXPECT_EQ(after([](Program& p) { p.tensors[0].type = ElementType::kInt8; }),
            q + "cannot quantize 'x' int8[1, 4, 4]");
  EXPECT_EQ(after([](Program& p) { p.tensors[0].sample_shape = {16}; }),
            q + "cannot quantize 'x' float32[16]");
  for (float scale : {0.0F, -1.0F, kNan, 1e-40F, std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(after_op<QuantizeOp>([&](QuantizeOp& op) { op.params.scale = scale; }),
              q + "a scale is not a positive normal number");
    EXPECT_EQ(after_op<DequantizeOp>([&](DequantizeOp& op) { op.scales[1] = scale; }),
              "operation that makes 'y' float32[3]: a scale is not a positive normal number");
  }
  EXPECT_EQ(after_op<QuantizeOp>([](QuantizeOp& op) { op.params.zero_point = 256; }),
            q + "the zero point 256 does not fit uint8");
  EXPECT_EQ(after_op<QuantizeOp>([](QuantizeOp& op) {
              op.range = {0, 256};
            }),
            q + "the range [0, 256] does not fit its type");
  EXPECT_EQ(after_op<QuantizeOp>([](QuantizeOp& op) {
              op.range = {9, 8};
            }),
            q + "the range [9, 8] does not fit its type");
  const std::string y = "operation that makes 'y' float32[3]: ";
  EXPECT_EQ(after_op<DequantizeOp>([](DequantizeOp& op) {
              op.scales = {1, 1};
            }),
            y + "2 scales do not fit 'a' int32[3]");
  EXPECT_EQ(after_op<DequantizeOp>([](DequantizeOp& op) { op.zero_point = kLeast; }),
            y + "the zero point -9223372036854775808 does not fit int32");
  EXPECT_EQ(after([](Program& p) { p.tensors[6].type = ElementType::kInt32; }).substr(0, 32),
            "operation that makes 'y' int32[3");
}

TEST(Program, VerifyRefusesConvolutions) {
  const std::string c = "operation that makes 'c' uint8[2, 3, 3]: ";
  const std::string fit = c + "weights [2, 1, 2, 2] do not fit 'q' uint8[1, 4, 4]";
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.group = 2; }), fit);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.group = 0; }), fit);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.group = std::int64_t{1} << 62; }), fit);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.window.kernel[1] = 3; }), fit);
  const std::string window =
      c + "kernel, strides and dilations must be 1 or more, pads 0 or more, all below 2^31";
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.window.strides[0] = 0; }), window);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.window.dilations[1] = std::int64_t{1} << 31; }), window);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.window.pads_begin[1] = -1; }), window);
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.input_zero_point = 1000; }),
            c + "the zero point 1000 does not fit uint8");
}

TEST(Program, VerifyRefusesLayers) {
  const std::string c = "operation that makes 'c' uint8[2, 3, 3]: ";
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.layer.folded_bias = {1}; }),
            c + "weights must be int8 and have one bias per channel");
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) {
              op.layer.weights = Tensor(ElementType::kUint8, {2, 1, 2, 2});
            }),
            c + "weights must be int8 and have one bias per channel");
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.layer.requantization->multipliers = std::vector{1.0F}; }),
            c + "1 multipliers do not fit 2 channels");
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) {
              op.layer.requantization->clamp = {-1, 255};
            }),
            c + "the range [-1, 255] does not fit its type");
  EXPECT_EQ(after_op<ConvOp>([](ConvOp& op) { op.layer.requantization->zero_point = -1; }),
            c + "the zero point -1 does not fit uint8");
  const std::string a = "operation that makes 'a' int32[3]: ";
  EXPECT_EQ(after_op<FullyConnectedOp>([](FullyConnectedOp& op) {
              op.layer.weights = Tensor(ElementType::kInt8, {3, 9});
            }),
            a + "weights [3, 9] do not fit 'f' uint8[8]");
  EXPECT_EQ(after([](Program& p) { p.tensors[5].type = ElementType::kInt8; }),
            "operation that makes 'a' int8[3]: an accumulator is int32");
  EXPECT_EQ(after([](Program& p) {
              p.tensors[3].type = p.tensors[4].type = p.tensors[2].type = ElementType::kInt16;
            }),
            a + "the input must be int8 or uint8, not 'f' int16[8]");
}

TEST(Program, VerifyRefusesMultipliersThatAreNone) {
  const std::string why =
      "operation that makes 'c' uint8[2, 3, 3]: a multiplier is not a positive normal number";
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
            "operation that makes 'a' int32[3]: the accumulator of channel 1 can leave int32");
  EXPECT_EQ(with_bias(-kMost - 1 + 255 * 100, -100), "");
  EXPECT_NE(with_bias(-kMost - 1 + 255 * 100 - 1, -100), "");
}

TEST(Program, VerifyRefusesPoolsAndReshapes) {
  const std::string p = "operation that makes 'p' ";
  EXPECT_EQ(after([](Program& g) { g.tensors[3].type = ElementType::kInt8; }),
            p + "int8[2, 2, 2]: cannot pool 'c' uint8[2, 3, 3]");
  EXPECT_EQ(after([](Program& g) {
              g.tensors[3].sample_shape = {1, 2, 2};
            }),
            p + "uint8[1, 2, 2]: cannot pool 'c' uint8[2, 3, 3]");
  EXPECT_EQ(after_op<MaxPoolOp>([](MaxPoolOp& op) { op.window.kernel[0] = 0; }),
            p + "uint8[2, 2, 2]: kernel, strides and dilations must be 1 or more, pads 0 or more, all below "
                "2^31");
  EXPECT_EQ(after([](Program& g) { g.tensors[4].sample_shape = {9}; }),
            "operation that makes 'f' uint8[9]: cannot reshape 'p' uint8[2, 2, 2]");
}

TEST(Program, VerifyRefusesPoolsThatCouldSeeOnlyPadding) {
  const std::string why =
      "operation that makes 'p' uint8[2, 2, 2]: a window can lie outside of 'c' uint8[2, 3, 3], where "
      "nothing "
      "is largest";
  EXPECT_EQ(after_op<MaxPoolOp>([](MaxPoolOp& op) { op.window.pads_begin[0] = 1; }), "");
  EXPECT_EQ(after_op<MaxPoolOp>([](MaxPoolOp& op) { op.window.pads_begin[0] = 2; }), why);
  EXPECT_EQ(after_op<MaxPoolOp>([](MaxPoolOp& op) { op.window.strides[1] = 2; }), "");
  EXPECT_EQ(after_op<MaxPoolOp>([](MaxPoolOp& op) { op.window.strides[1] = 3; }), why);
  EXPECT_EQ(after_op<MaxPoolOp>([](MaxPoolOp& op) {
              op.window.dilations[0] = 4;
              op.window.pads_begin[0] = 4;
            }),
            why);
}

TEST(Program, FindsFloatsInside) {
  EXPECT_TRUE(float_tensors_inside(network()).empty());
  // q -> real -> q again in the middle: it runs, and it is no integer program.
  Program program;
  program.tensors = {
      {"a", ElementType::kUint8, {4}}, {"real", ElementType::kFloat32, {4}}, {"b", ElementType::kUint8, {4}}};
  program.operations = {DequantizeOp{0, 1, {1}, 0}, QuantizeOp{1, 2, {1, 0}, {0, 255}}};
  program.inputs = {0};
  program.outputs = {2};
  ASSERT_TRUE(verify(program).ok());
  EXPECT_EQ(float_tensors_inside(program), std::vector<TensorId>{1});
}

}  // namespace
}  // namespace zeropoint
