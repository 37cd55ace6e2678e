#include "zeropoint/toolchain/optimizer.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace zeropoint::toolchain {
namespace {

using Row = std::array<double, 3>;

constexpr std::array<Row, 4> kGradients = {
    {{0.5, -1.0, 2.0}, {0.25, 0.5, -1.0}, {-1.0, 0.125, 0.0}, {0.5, 0.5, 0.5}}};

std::vector<Parameter> start() {
  return {{"p", 0, Tensor::of<float>({3}, {1.0F, -2.0F, 0.5F}), Tensor(ElementType::kFloat32, {3})}};
}

void set_gradient(std::vector<Parameter>& parameters, const Row& gradient) {
  for (std::size_t i = 0; i < 3; ++i) {
    parameters[0].gradient.data<float>()[i] = static_cast<float>(gradient[i]);
  }
}

/// `expected` are the parameters after each step, as PyTorch 1.13 computes them for these gradients. PyTorch
/// may fuse multiplication and addition, so the last bits may differ: 1e-6 at magnitudes of 2.
void expect_steps(Optimizer& optimizer, double rate, const std::array<Row, 4>& expected) {
  std::vector<Parameter> parameters = start();
  for (std::size_t step = 0; step < 4; ++step) {
    set_gradient(parameters, kGradients[step]);
    ASSERT_TRUE(optimizer.step(parameters, rate).ok());
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(parameters[0].data.data<float>()[i], expected[step][i], 1e-6)
          << "step " << step << ", " << i;
    }
  }
}

TEST(Sgd, FollowsPyTorch) {
  expect_steps(**make_sgd({}), 0.1,
               {{{0.949999988, -1.89999998, 0.300000012},
                 {0.925000012, -1.94999993, 0.400000006},
                 {1.02499998, -1.96249998, 0.400000006},
                 {0.974999964, -2.01250005, 0.349999994}}});
  expect_steps(**make_sgd({.momentum = 0.9}), 0.1,
               {{{0.949999988, -1.89999998, 0.300000012},
                 {0.879999995, -1.86000001, 0.220000014},
                 {0.916999996, -1.83650005, 0.148000017},
                 {0.900299966, -1.86535001, 0.0332000256}}});
  expect_steps(**make_sgd({.momentum = 0.9, .weight_decay = 0.01, .dampening = 0.5}), 0.1,
               {{{0.949000001, -1.898, 0.299499989},
                 {0.890125513, -1.83025098, 0.168900222},
                 {0.886693418, -1.77461171, 0.0512759835},
                 {0.858161151, -1.74864912, -0.0796114653}}});
  expect_steps(**make_sgd({.momentum = 0.9, .weight_decay = 0.01, .nesterov = true}), 0.1,
               {{{0.903100014, -1.80620003, 0.119049974},
                 {0.812574148, -1.81514823, 0.14641878},
                 {0.942869723, -1.80012846, 0.080879651},
                 {0.874075651, -1.86857402, -0.073127456}}});
}

TEST(Adam, FollowsPyTorch) {
  expect_steps(**make_adam({}), 0.1,
               {{{0.900000036, -1.89999998, 0.400000006},
                 {0.806782067, -1.87336624, 0.373366296},
                 {0.827417791, -1.86001027, 0.352778375},
                 {0.819649279, -1.87364435, 0.323623329}}});
  expect_steps(**make_adam({.beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6, .weight_decay = 0.1}), 0.05,
               {{{0.950000107, -1.95000005, 0.450000018},
                 {0.903114855, -1.9291724, 0.43808201},
                 {0.910853982, -1.91215014, 0.42875731},
                 {0.900562823, -1.90775502, 0.413869709}}});
}

/// A constant gradient makes a geometric series of the momentum: after n steps p = -rate sum (1 - m^k) / (1 -
/// m).
TEST(Sgd, MomentumOfAConstantGradientIsAGeometricSeries) {
  std::vector<Parameter> parameters = {{"p", 0, Tensor::of<float>({1}, {0}), Tensor::of<float>({1}, {1})}};
  std::unique_ptr<Optimizer> sgd = *make_sgd({.momentum = 0.5});
  double expected = 0;
  for (int k = 1; k <= 10; ++k) {
    ASSERT_TRUE(sgd->step(parameters, 0.25).ok());
    expected -= 0.25 * (1 - std::pow(0.5, k)) / 0.5;
    EXPECT_EQ(parameters[0].data.data<float>()[0], expected);  // powers of two: exact
  }
}

/// With bias correction, the first step of Adam is the learning rate in the direction of the sign.
TEST(Adam, FirstStepIsTheLearningRate) {
  std::vector<Parameter> parameters = {
      {"p", 0, Tensor::of<float>({3}, {0, 0, 0}), Tensor::of<float>({3}, {1e-3F, -1, 1e3F})}};
  ASSERT_TRUE((*make_adam({}))->step(parameters, 0.25).ok());
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(parameters[0].data.data<float>()[i], i == 1 ? 0.25 : -0.25, 1e-5);
  }
}

void expect_resumes(const std::function<std::unique_ptr<Optimizer>()>& make) {
  std::vector<Parameter> straight = start();
  std::unique_ptr<Optimizer> first = make();
  StateDict saved;
  std::vector<Parameter> resumed;
  for (std::size_t step = 0; step < 4; ++step) {
    if (step == 2) {
      saved = first->state(straight);
      resumed = straight;
    }
    set_gradient(straight, kGradients[step]);
    ASSERT_TRUE(first->step(straight, 0.1).ok());
  }
  std::unique_ptr<Optimizer> second = make();
  ASSERT_TRUE(second->restore(resumed, saved).ok());
  for (std::size_t step = 2; step < 4; ++step) {
    set_gradient(resumed, kGradients[step]);
    ASSERT_TRUE(second->step(resumed, 0.1).ok());
  }
  EXPECT_EQ(resumed[0].data, straight[0].data);
  EXPECT_EQ(second->state(resumed).tensors, first->state(straight).tensors);
}

TEST(Optimizers, ResumeBitForBit) {
  expect_resumes([] { return *make_sgd({}); });
  expect_resumes([] { return *make_sgd({.momentum = 0.9, .nesterov = true}); });
  expect_resumes([] { return *make_adam({.weight_decay = 0.1}); });
}

TEST(Optimizers, RefuseAStateThatIsNotTheirs) {
  std::vector<Parameter> parameters = start();
  std::unique_ptr<Optimizer> sgd = *make_sgd({.momentum = 0.9});
  std::unique_ptr<Optimizer> adam = *make_adam({});
  ASSERT_TRUE(sgd->step(parameters, 0.1).ok());
  ASSERT_TRUE(adam->step(parameters, 0.1).ok());
  EXPECT_EQ(sgd->state(parameters).tensors[0].first, "momentum.p");
  EXPECT_EQ(adam->restore(parameters, sgd->state(parameters)).message(),
            "the optimizer's state lacks the number of steps, an int64 of 1 or more");
  EXPECT_EQ(sgd->restore(parameters, adam->state(parameters)).message(),
            "the optimizer's state has 3 tensors; sgd with momentum 0.9 has 1");
  StateDict other = sgd->state(parameters);
  other.tensors[0].second = Tensor(ElementType::kFloat32, {4});
  EXPECT_EQ(sgd->restore(parameters, other).message(), "momentum.p is float32 [4]; float32 [3] is needed");
  parameters.push_back(parameters[0]);
  EXPECT_FALSE(sgd->step(parameters, 0.1).ok());
}

TEST(Optimizers, RefuseImpossibleOptions) {
  EXPECT_FALSE(make_sgd({.momentum = -1}).ok());
  EXPECT_FALSE(make_sgd({.nesterov = true}).ok());
  EXPECT_FALSE(make_sgd({.momentum = 0.9, .dampening = 0.1, .nesterov = true}).ok());
  EXPECT_FALSE(make_adam({.beta1 = 1}).ok());
  EXPECT_FALSE(make_adam({.epsilon = -1}).ok());
}

}  // namespace
}  // namespace zeropoint::toolchain
