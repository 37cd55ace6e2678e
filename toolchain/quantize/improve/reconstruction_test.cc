#include "quantize/improve/reconstruction.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <numeric>

#include "quantize/improve/adaround.h"
#include "quantize/improve/gptq.h"
#include "quantize/improve/layer_rows.h"
#include "quantize/improve/layer_sample.h"
#include "quantize/improve/network_for_test.h"
#include "zeropoint/toolchain/float_executor.h"

namespace zeropoint::toolchain {
namespace {

using namespace improve;

/// Weights [rows, columns] of 3 bits over inputs whose channels are mixed with each other.
RoundingProblem problem(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  Random random(seed);
  auto normal = [&](Eigen::Index r, Eigen::Index c) {
    return MatrixD::NullaryExpr(r, c, [&] { return random.normal(); }).eval();
  };
  MatrixD inputs = normal(200, columns) * normal(columns, columns);
  RoundingProblem result;
  result.weights = normal(rows, columns).cast<float>();
  result.range = {-4, 3};
  result.steps = MatrixF::Constant(rows, columns, 0.6F);
  MatrixD targets = inputs * result.weights.cast<double>().transpose();
  result.moments = inputs.transpose() * inputs / 200;
  result.cross = inputs.transpose() * targets / 200;
  result.power = targets.colwise().squaredNorm().transpose() / 200;
  return result;
}

/// The least error of any integers in the range.
double least_error(const RoundingProblem& problem) {
  MatrixF integers = MatrixF::Constant(1, problem.weights.cols(), static_cast<float>(problem.range.q_min));
  double least = problem.errors(integers)[0];
  while (true) {
    Eigen::Index i = 0;
    while (i < integers.cols() && integers(0, i) == static_cast<float>(problem.range.q_max)) {
      integers(0, i++) = static_cast<float>(problem.range.q_min);
    }
    if (i == integers.cols()) {
      return least;
    }
    integers(0, i) += 1;
    least = std::min(least, problem.errors(integers)[0]);
  }
}

/// GPTQ as its derivation says, without factors: after each column the inverse of what is left of H, anew.
MatrixF plain_gptq(const RoundingProblem& problem, double damping, const std::vector<Eigen::Index>& order) {
  MatrixD h = problem.moments;
  h.diagonal().array() += damping * problem.moments.diagonal().mean();
  MatrixF result(problem.weights.rows(), problem.weights.cols());
  for (Eigen::Index row = 0; row < result.rows(); ++row) {
    Eigen::RowVectorXd w = problem.weights.row(row).cast<double>();
    for (std::size_t i = 0; i < order.size(); ++i) {
      auto left = static_cast<Eigen::Index>(order.size() - i);
      MatrixD rest(left, left);
      for (Eigen::Index a = 0; a < left; ++a) {
        for (Eigen::Index b = 0; b < left; ++b) {
          rest(a, b) = h(order[i + static_cast<std::size_t>(a)], order[i + static_cast<std::size_t>(b)]);
        }
      }
      MatrixD inverse = rest.inverse();
      Eigen::Index column = order[i];
      float step = problem.steps(row, column);
      auto q = static_cast<float>(quantize(static_cast<float>(w[column]), {step, 0}, problem.range));
      result(row, column) = q;
      double error = (w[column] - static_cast<double>(q) * step) / inverse(0, 0);
      for (Eigen::Index a = 0; a < left; ++a) {
        w[order[i + static_cast<std::size_t>(a)]] -= error * inverse(0, a);
      }
    }
  }
  return result;
}

TEST(Gptq, ZeroPointsMoveTheRange) {
  RoundingProblem plain = problem(3, 5, 1);
  RoundingProblem moved = plain;
  moved.range = {0, 7};
  moved.zeros = MatrixF::Constant(3, 5, 4.0F);
  Team team(1);
  EXPECT_EQ(moved.nearest(), plain.nearest());
  EXPECT_EQ(*gptq(moved, {}, team), *gptq(plain, {}, team));
  EXPECT_EQ(*adaround(moved, {}, team), *adaround(plain, {}, team));
}

TEST(Gptq, EqualsItsDerivation) {
  Team team(2);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    RoundingProblem some = problem(5, 9, seed);
    std::vector<Eigen::Index> order{0, 1, 2, 3, 4, 5, 6, 7, 8};
    EXPECT_EQ(expect_ok(gptq(some, {.damping = 0.01, .act_order = false}, team)),
              plain_gptq(some, 0.01, order))
        << seed;
    std::stable_sort(order.begin(), order.end(),
                     [&](Eigen::Index a, Eigen::Index b) { return some.moments(a, a) > some.moments(b, b); });
    EXPECT_EQ(expect_ok(gptq(some, {.damping = 0.1, .act_order = true}, team)), plain_gptq(some, 0.1, order))
        << seed;
  }
}

TEST(Gptq, RoundsToTheNearestWhereInputsAreZeroAndRefusesNoDamping) {
  Team team(1);
  RoundingProblem some = problem(3, 4, 1);
  some.moments.setZero();
  EXPECT_EQ(expect_ok(gptq(some, {}, team)), some.nearest());
  EXPECT_EQ(gptq(some, {.damping = 0, .act_order = true}, team).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(Rounding, IsBetterThanToTheNearestAndSometimesTheBestThereIs) {
  Team team(2);
  int best = 0;
  double nearest = 0;
  double by_gptq = 0;
  double by_adaround = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    RoundingProblem some = problem(1, 5, 100 + seed);
    double least = least_error(some);
    double adaround_error = some.errors(expect_ok(adaround(some, {}, team)))[0];
    EXPECT_LE(adaround_error, some.errors(some.nearest())[0]);
    EXPECT_GE(adaround_error, least - 1e-9);
    best += adaround_error < least * 1.0001 + 1e-9 ? 1 : 0;
    nearest += some.errors(some.nearest())[0];
    by_adaround += adaround_error;
    by_gptq += some.errors(expect_ok(gptq(some, {}, team)))[0];
  }
  EXPECT_LT(by_adaround, nearest / 1.5);
  EXPECT_LT(by_gptq, nearest / 1.5);
  EXPECT_GE(best, 5);
}

TEST(Gptq, AnswersInputsThatAreNotTheFloatNetworksBetterWhereItStartsFromThem) {
  Team team(1);
  double plain = 0;
  double asymmetric = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    RoundingProblem some = problem(4, 10, seed);
    RoundingProblem other = problem(4, 10, seed + 100);  // what is read now has other moments
    some.moments = 0.8 * some.moments + 0.02 * other.moments;
    plain += some.errors(expect_ok(gptq(some, {}, team))).sum();
    asymmetric += some.errors(expect_ok(gptq(some, {.asymmetric = true}, team))).sum();
  }
  EXPECT_LT(asymmetric, 0.8 * plain);
}

TEST(AdaRound, DampedLosesLessOnInputsThatItDidNotSee) {
  constexpr Eigen::Index kColumns = 40;
  Team team(1);
  Random random(5);
  RoundingProblem seen = problem(16, kColumns, 11);
  RoundingProblem all = seen;
  auto see = [&](RoundingProblem& some, Eigen::Index samples) {
    MatrixD inputs = MatrixD::NullaryExpr(samples, kColumns, [&] { return random.normal(); });
    MatrixD targets = inputs * some.weights.cast<double>().transpose();
    auto count = static_cast<double>(samples);
    some.moments = inputs.transpose() * inputs / count;
    some.cross = inputs.transpose() * targets / count;
    some.power = targets.colwise().squaredNorm().transpose() / count;
  };
  see(seen, kColumns / 2);
  see(all, 50 * kColumns);
  double damped = all.errors(expect_ok(adaround(seen, {}, team))).sum();
  EXPECT_LT(damped, 0.9 * all.errors(expect_ok(adaround(seen, {.damping = 0}, team))).sum());
}

TEST(AdaRound, StaysInTheRangeAndIsReproducible) {
  RoundingProblem some = problem(70, 30, 7);
  Team one(1);
  Team three(3);
  MatrixF rounded = expect_ok(adaround(some, {}, one));
  EXPECT_EQ(rounded, expect_ok(adaround(some, {}, three)));
  for (Eigen::Index i = 0; i < rounded.size(); ++i) {
    EXPECT_EQ(rounded.data()[i], std::nearbyint(rounded.data()[i]));
    EXPECT_GE(rounded.data()[i], -4);
    EXPECT_LE(rounded.data()[i], 3);
  }
  Eigen::VectorXd better = some.errors(some.nearest()) - some.errors(rounded);
  EXPECT_GE(better.minCoeff(), 0);
  EXPECT_LT(some.errors(rounded).sum(), some.errors(some.nearest()).sum() / 2);
}

TEST(Moments, AreMeansOfProductsAndDoNotDependOnTheTeam) {
  Random random(3);
  MatrixF a = MatrixF::NullaryExpr(5000, 7, [&] { return static_cast<float>(random.normal()); });
  MatrixF b = MatrixF::NullaryExpr(5000, 200, [&] { return static_cast<float>(random.normal()); });
  Team one(1);
  Team three(3);
  MatrixD result = expect_ok(moments(a, b, one));
  EXPECT_EQ(result, expect_ok(moments(a, b, three)));
  MatrixD exact = a.cast<double>().transpose() * b.cast<double>() / 5000;
  EXPECT_LT((result - exact).cwiseAbs().maxCoeff(), 1e-5);
}

/// A way to round, and how much less of the network's error it must leave than the nearest.
struct Way {
  const char* name;
  Rounder round;
};

TEST(Reconstruction, GivesIntegersThatPlainQuantizationGivesAgainAndABetterNetwork) {
  const Way ways[] = {
      {"adaround", [](const RoundingProblem& p, Team& team) { return adaround(p, {}, team); }},
      {"gptq", [](const RoundingProblem& p, Team& team) { return gptq(p, {}, team); }}};
  SampleChunks chunks = samples(64);
  const Graph original = network(Op::kRelu, 0.3);
  std::vector<float> wanted = values_of(original, "y", chunks);
  QuantPlan plan = plan_of(original, chunks, 4);
  double nearest = squared_difference(wanted, values_of(expect_ok(apply_plan(original, plan)), "y", chunks));
  for (const Way& way : ways) {
    for (bool asymmetric : {true, false}) {
      std::vector<Graph> results;
      for (int threads : {1, 2}) {
        Graph graph = original;
        Team team(threads);
        ReconstructionOptions options;
        options.asymmetric = asymmetric;
        std::vector<LayerNote> notes = expect_ok(reconstruct(graph, plan, chunks, team, options, way.round));
        ASSERT_EQ(notes.size(), 4U);
        results.push_back(std::move(graph));
      }
      for (const char* name : {"first.w", "depthwise.w", "last.w", "fc.w", "fc.b"}) {
        EXPECT_EQ(*results[0].value(results[0].find(name)).constant,
                  *results[1].value(results[1].find(name)).constant)
            << name;
      }
      const Decision* decision = plan.find("first.w");
      const Tensor& weights = *results[0].value(results[0].find("first.w")).constant;
      Tensor integers = expect_ok(quantize(weights, decision->params, decision->type));
      EXPECT_EQ(expect_ok(dequantize(integers, decision->params)), weights);
      Graph quantized = expect_ok(apply_plan(results[0], plan));
      EXPECT_LT(squared_difference(wanted, values_of(quantized, "y", chunks)), nearest * 0.7)
          << way.name << " " << asymmetric;
    }
  }
}

TEST(Reconstruction, SeesTransposedConvolutionsAsTheyAre) {
  Graph graph;
  Random random(2);
  ValueId x = graph.add_input("input", ElementType::kFloat32, {Dim("N"), 4, 6, 6});
  ValueId w = graph.add_constant("w", uneven({4, 3, 3, 2}, random, 1));
  ValueId b = graph.add_constant("b", uneven({6}, random, 1));
  graph.outputs = {graph.add_node(Op::kConvTranspose, "up", {x, w, b}, "y",
                                  {{"group", std::int64_t{2}},
                                   {"strides", std::vector<std::int64_t>{2, 3}},
                                   {"dilations", std::vector<std::int64_t>{1, 2}},
                                   {"pads", std::vector<std::int64_t>{1, 0, 0, 1}},
                                   {"output_padding", std::vector<std::int64_t>{1, 0}}})};
  ASSERT_TRUE(infer_shapes(graph).ok());
  SampleChunks chunks = samples(24, {4, 6, 6});
  for (Tensor& chunk :
       chunks.inputs[0]) {  // channels that resemble the first: errors can make up for another
    for (std::size_t i = 0; i < chunk.data<float>().size(); ++i) {
      std::size_t first = i / 144 * 144 + i % 36;
      chunk.data<float>()[i] =
          i == first ? chunk.data<float>()[i] : 0.2F * chunk.data<float>()[i] + chunk.data<float>()[first];
    }
  }
  Team team(1);
  // Its rows times its weights are what it computes.
  LayerRows rows = expect_ok(LayerRows::of(graph, graph.nodes[0]));
  WeightRows weights = WeightRows::of(graph, graph.nodes[0]);
  const Tensor& input = chunks.inputs[0][0];
  FloatExecutor executor = expect_ok(FloatExecutor::create(graph, {1}));
  Tensor y = expect_ok(executor.run(std::span(&input, 1)))[0];
  std::int64_t plane = y.dim(2) * y.dim(3);
  ASSERT_EQ(expect_ok(rows.rows(input.shape())), y.dim(0) * plane);
  std::vector<std::int64_t> all(static_cast<std::size_t>(y.dim(0) * plane));
  std::iota(all.begin(), all.end(), 0);
  for (std::int64_t row = 0; row < weights.rows(); ++row) {
    MatrixF gathered = expect_ok(rows.gather(input, all, row / weights.rows_per_group()));
    for (std::int64_t at : all) {
      double sum = graph.value(b).constant->data<float>()[static_cast<std::size_t>(row)];
      for (std::int64_t k = 0; k < weights.columns(); ++k) {
        sum += static_cast<double>(gathered(at, k)) *
               graph.value(w).constant->data<float>()[weights.element(row, k)];
      }
      auto place = static_cast<std::size_t>((at / plane * y.dim(1) + row) * plane + at % plane);
      EXPECT_NEAR(y.data<float>()[place], sum, 1e-4);
    }
  }
  QuantPlan plan = plan_of(graph, chunks, 3);
  std::vector<float> wanted = values_of(graph, "y", chunks);
  double nearest = squared_difference(wanted, values_of(expect_ok(apply_plan(graph, plan)), "y", chunks));
  std::vector<LayerNote> notes = expect_ok(reconstruct(
      graph, plan, chunks, team, {}, [](const RoundingProblem& p, Team& t) { return gptq(p, {}, t); }));
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_TRUE(notes[0].changed);
  EXPECT_LT(squared_difference(wanted, values_of(expect_ok(apply_plan(graph, plan)), "y", chunks)),
            0.95 * nearest);
}

}  // namespace
}  // namespace zeropoint::toolchain
