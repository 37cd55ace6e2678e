// Against the equations written out for one unit, and against what the directions, layouts and lengths of
// longer sequences must have in common.

#include <cmath>

#include "operators/call_for_tests.h"

namespace zeropoint::operators {
namespace {

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

Attributes with_direction(const char* direction, Attributes attributes = {}) {
  attributes["direction"] = std::string(direction);
  return attributes;
}

/// A tensor of numbers that differ.
Tensor numbers(Shape shape) {
  Tensor result(ElementType::kFloat32, std::move(shape));
  int i = 0;
  for (float& value : result.data<float>()) {
    value = std::sin(static_cast<float>(7 * ++i));
  }
  return result;
}

TEST(Recurrent, OneUnitOfAnRnn) {
  Inputs inputs{floats({2, 1, 1}, {1, 2}),
                floats({1, 1, 1}, {0.5F}),
                floats({1, 1, 1}, {2}),
                floats({1, 2}, {0.1F, 0.2F}),
                std::nullopt,
                floats({1, 1, 1}, {-0.5F})};
  float first_state = std::tanh(0.5F - 1.0F + 0.3F);
  float second_state = std::tanh(1.0F + 2 * first_state + 0.3F);
  Result<std::vector<Tensor>> outputs = call(Op::kRNN, inputs, {}, 2);
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  expect_near((*outputs)[0], {first_state, second_state});
  expect_near((*outputs)[1], {second_state});
}

TEST(Recurrent, OneUnitOfAGru) {
  std::vector<float> w{0.5F, -1, 2};
  std::vector<float> r{1, 0.25F, -0.5F};
  std::vector<float> b{0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F};
  Inputs inputs{floats({1, 1, 1}, {0.7F}), floats({1, 3, 1}, w), floats({1, 3, 1}, r),
                floats({1, 6}, b),         std::nullopt,         floats({1, 1, 1}, {0.9F})};
  float z = sigmoid(0.5F * 0.7F + 0.1F + 0.9F + 0.4F);
  float reset = sigmoid(-0.7F + 0.2F + 0.25F * 0.9F + 0.5F);
  float fresh = std::tanh(1.4F + 0.3F - 0.5F * (reset * 0.9F) + 0.6F);
  expect_near(first(Op::kGRU, inputs), {(1 - z) * fresh + z * 0.9F});
  fresh = std::tanh(1.4F + 0.3F + reset * (-0.5F * 0.9F + 0.6F));
  expect_near(first(Op::kGRU, inputs, {{"linear_before_reset", std::int64_t{1}}}),
              {(1 - z) * fresh + z * 0.9F});
}

TEST(Recurrent, OneUnitOfAnLstmWithPeepholes) {
  Inputs inputs{floats({1, 1, 1}, {0.7F}),
                floats({1, 4, 1}, {0.5F, -1, 2, 1}),
                floats({1, 4, 1}, {1, 0.25F, -0.5F, 2}),
                std::nullopt,
                std::nullopt,
                floats({1, 1, 1}, {0.9F}),
                floats({1, 1, 1}, {-0.4F}),
                floats({1, 3}, {0.3F, 0.2F, 0.1F})};
  auto gates = [](bool coupled) {
    float in = sigmoid(0.5F * 0.7F + 0.9F + 0.3F * -0.4F);
    float forget = coupled ? 1 - in : sigmoid(1.4F - 0.45F + 0.1F * -0.4F);
    float c = forget * -0.4F + in * std::tanh(0.7F + 1.8F);
    float out = sigmoid(-0.7F + 0.25F * 0.9F + 0.2F * c);
    return std::vector<float>{out * std::tanh(c), c};
  };
  Result<std::vector<Tensor>> outputs = call(Op::kLSTM, inputs, {}, 3);
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  expect_near((*outputs)[0], {gates(false)[0]});
  expect_near((*outputs)[1], {gates(false)[0]});
  expect_near((*outputs)[2], {gates(false)[1]});
  expect_near(first(Op::kLSTM, inputs, {{"input_forget", std::int64_t{1}}}), {gates(true)[0]});
}

TEST(Recurrent, ActivationsWithTheirParametersAndAClip) {
  Inputs inputs{floats({1, 1, 1}, {3}), floats({1, 1, 1}, {1}), floats({1, 1, 1}, {0})};
  Attributes affine{{"activations", std::vector<std::string>{"Affine"}},
                    {"activation_alpha", std::vector<float>{2}},
                    {"activation_beta", std::vector<float>{-1}}};
  expect_near(first(Op::kRNN, inputs, affine), {5});
  affine["clip"] = 2.0F;
  expect_near(first(Op::kRNN, inputs, affine), {3});
  affine["activations"] = std::vector<std::string>{"Nonsense"};
  EXPECT_EQ(refusal(Op::kRNN, inputs, affine), "activation 'Nonsense' is not known");
  affine["activations"] = std::vector<std::string>{"Tanh", "Tanh"};
  EXPECT_NE(refusal(Op::kRNN, inputs, affine), "");
}

TEST(Recurrent, BothDirectionsAtOnceAreTheTwoAlone) {
  for (Op op : {Op::kRNN, Op::kGRU, Op::kLSTM}) {
    std::int64_t gates = op == Op::kLSTM ? 4 : (op == Op::kGRU ? 3 : 1);
    Tensor x = numbers({4, 2, 3});
    Tensor w = numbers({2, gates * 5, 3});
    Tensor r = numbers({2, gates * 5, 5});
    Tensor lengths = tensor<std::int32_t>({2}, {4, 2});
    Result<std::vector<Tensor>> both =
        call(op, {x, w, r, std::nullopt, lengths}, with_direction("bidirectional"), 2);
    ASSERT_TRUE(both.ok()) << both.status().message();
    for (std::size_t d : {0U, 1U}) {
      auto half = [&](const Tensor& all) {
        std::size_t count = static_cast<std::size_t>(all.size()) / 2;
        Shape shape = all.shape();
        shape[0] = 1;
        return Tensor::of<float>(shape, all.data<float>().subspan(d * count, count));
      };
      Result<std::vector<Tensor>> alone = call(op, {x, half(w), half(r), std::nullopt, lengths},
                                               with_direction(d == 0 ? "forward" : "reverse"), 2);
      ASSERT_TRUE(alone.ok()) << alone.status().message();
      EXPECT_EQ((*alone)[1], half((*both)[1]));
      for (std::int64_t step = 0; step < 4; ++step) {
        for (std::int64_t i = 0; i < 10; ++i) {
          EXPECT_EQ((*alone)[0].data<float>()[static_cast<std::size_t>(step * 10 + i)],
                    (*both)[0].data<float>()[static_cast<std::size_t>(
                        step * 20 + static_cast<std::int64_t>(d) * 10 + i)]);
        }
      }
      // Behind the end of the second sample there is nothing.
      EXPECT_EQ((*alone)[0].data<float>()[2 * 10 + 5], 0);
    }
  }
}

TEST(Recurrent, TheOtherLayoutIsATransposition) {
  Tensor x = numbers({2, 3, 2});  // [batch, steps, inputs]
  Tensor swapped(ElementType::kFloat32, {3, 2, 2});
  for (std::size_t i = 0; i < 12; ++i) {
    swapped.data<float>()[i % 6 / 2 * 4 + i / 6 * 2 + i % 2] = x.data<float>()[i];
  }
  Tensor w = numbers({1, 4, 2});
  Tensor r = numbers({1, 4, 1});
  Tensor batch_first = first(Op::kLSTM, {x, w, r}, {{"layout", std::int64_t{1}}});
  Tensor steps_first = first(Op::kLSTM, {swapped, w, r});
  EXPECT_EQ(batch_first.shape(), (Shape{2, 3, 1, 1}));
  EXPECT_EQ(steps_first.shape(), (Shape{3, 1, 2, 1}));
  for (std::size_t sample = 0; sample < 2; ++sample) {
    for (std::size_t step = 0; step < 3; ++step) {
      EXPECT_EQ(batch_first.data<float>()[sample * 3 + step], steps_first.data<float>()[step * 2 + sample]);
    }
  }
}

TEST(Recurrent, RefusesWhatDoesNotFit) {
  Inputs inputs{numbers({2, 1, 3}), numbers({1, 8, 3}), numbers({1, 8, 2})};
  EXPECT_EQ(refusal(Op::kLSTM, inputs), "");
  EXPECT_NE(refusal(Op::kLSTM, inputs, with_direction("sideways")), "");
  EXPECT_NE(refusal(Op::kLSTM, inputs, with_direction("bidirectional")), "");
  EXPECT_NE(refusal(Op::kLSTM, inputs, {{"hidden_size", std::int64_t{3}}}), "");
  EXPECT_NE(refusal(Op::kGRU, inputs), "");
  inputs.push_back(std::nullopt);
  inputs.push_back(tensor<std::int32_t>({1}, {3}));
  EXPECT_EQ(refusal(Op::kLSTM, inputs), "a sequence length is 3; 0 to 2 is possible");
  inputs[4] = tensor<std::int32_t>({2}, {1, 1});
  EXPECT_NE(refusal(Op::kLSTM, inputs), "");
}

}  // namespace
}  // namespace zeropoint::operators
