// The whole of quantization: what a plan holds of the improvements, and what is asked for again.

#include "zeropoint/toolchain/quantize_network.h"

#include <gtest/gtest.h>

#include "quantize/plan_for_test.h"
#include "zeropoint/toolchain/array_dataset.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/npy.h"

namespace zeropoint::toolchain {
namespace {

class QuantizeNetwork : public testing::Test {
 protected:
  void SetUp() override {
    Graph graph = plans::network();
    graph.nodes[0].inputs.resize(2);  // the convolution has no bias
    graph_ = prepare_network(std::move(graph))->graph;
    Tensor samples(ElementType::kFloat32, {16, 2, 4, 4});
    for (std::size_t i = 0; i < 512; ++i) {
      samples.data<float>()[i] = static_cast<float>(i * i % 97) / 48 - 1;
    }
    path_ = testing::TempDir() + "quantize_network_test.npy";
    Result<std::vector<std::byte>> npy = to_npy(samples);
    ASSERT_TRUE(npy.ok());
    ASSERT_TRUE(write_file(path_, *npy).ok());
    std::shared_ptr<const ArraySource> source = *open_npy(path_);
    evidence_.data = {std::shared_ptr<const Dataset>(*array_dataset(source, nullptr))};
    evidence_.statistics = *gather_statistics(graph_, evidence_.data);
  }
  void TearDown() override { std::remove(path_.c_str()); }

  QuantizedNetwork quantize(const Recipe& recipe) {
    Result<QuantizedNetwork> network = NetworkQuantizer(graph_, evidence_).quantize(recipe);
    EXPECT_TRUE(network.ok()) << network.status().message();
    return network.ok() ? *std::move(network) : QuantizedNetwork();
  }

  Graph graph_;
  Evidence evidence_;
  std::string path_;
};

TEST_F(QuantizeNetwork, APlanHoldsTheBiasesThatWereCorrected) {
  QuantizedNetwork made = quantize({});
  EXPECT_EQ(made.plan.improvements, std::vector<std::string>{"bias-correction"});
  EXPECT_EQ(made.lowering.floats.size(), 0U);
  std::size_t corrected = 0;
  std::size_t added = 0;
  for (const Decision& decision : made.plan.decisions) {
    corrected += decision.values.empty() ? 0 : 1;
    added += decision.layer == "conv" ? 1 : 0;
  }
  EXPECT_EQ(corrected, 2U);
  EXPECT_EQ(added, 1U);
  QuantPlan read = *plan_from_json(to_json(made.plan));
  Result<QuantizedNetwork> again = quantize_by_plan(graph_, read);
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(print(again->graph), print(made.graph));
  EXPECT_EQ(to_json(again->plan), to_json(made.plan));
}

TEST_F(QuantizeNetwork, APlanWithImprovementsGivesTheSameNetworkAgain) {
  for (const char* name : {"adaround", "gptq", "mse-weights"}) {
    Recipe recipe;
    recipe.weights.bits = 3;
    recipe.improvements = {name};
    QuantizedNetwork made = quantize(recipe);
    Result<QuantizedNetwork> again =
        NetworkQuantizer(graph_, evidence_).apply(*plan_from_json(to_json(made.plan)));
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_EQ(print(again->graph), print(made.graph)) << name;
    EXPECT_EQ(to_json(again->plan), to_json(made.plan)) << name;
    EXPECT_EQ(*again->improved.value(again->improved.find("conv.w")).constant,
              *made.improved.value(made.improved.find("conv.w")).constant)
        << name;
  }
}

TEST_F(QuantizeNetwork, BiasesStayWhereTheRecipeSaysSo) {
  Recipe recipe;
  recipe.correct_biases = false;
  QuantizedNetwork made = quantize(recipe);
  EXPECT_EQ(made.plan.improvements, std::vector<std::string>{});
  EXPECT_EQ(made.improved.nodes[0].inputs.size(), 2U);
}

TEST_F(QuantizeNetwork, WithoutSamplesBiasesAreCorrectedByMeans) {
  evidence_.data.clear();
  EXPECT_EQ(quantize({}).plan.improvements, std::vector<std::string>{"bias-correction-analytic"});
}

TEST_F(QuantizeNetwork, ImprovementsThatNeedSamplesAreNotLeftOutInSilence) {
  Recipe recipe;
  recipe.improvements = {"gptq"};
  QuantPlan plan = quantize(recipe).plan;
  EXPECT_EQ(
      quantize_by_plan(graph_, plan).status().message(),
      "the plan rests on improvements of the float network (gptq, bias-correction), which need calibration "
      "samples to be made again");
  Result<QuantizedNetwork> again = NetworkQuantizer(graph_, evidence_).apply(plan);
  ASSERT_TRUE(again.ok()) << again.status().message();
  evidence_.data.clear();
  EXPECT_EQ(NetworkQuantizer(graph_, evidence_).quantize(recipe).status().message(),
            "improvement 'gptq' needs calibration samples; statistics are not enough");
  recipe.improvements = {"gtpq"};
  EXPECT_EQ(NetworkQuantizer(graph_, evidence_).quantize(recipe).status().message(),
            "there is no improvement 'gtpq'; did you mean 'gptq'?");
}

TEST_F(QuantizeNetwork, BiasesThatPeopleWroteAreChecked) {
  QuantPlan plan = quantize({}).plan;
  auto after = [&](auto change) {
    QuantPlan changed = plan;
    for (Decision& decision : changed.decisions) {
      if (decision.layer == "conv") {
        change(decision);
      }
    }
    std::string message = quantize_by_plan(graph_, changed).status().message();
    return message.substr(std::min(message.find(": "), message.size() - 2) + 2);
  };
  EXPECT_EQ(after([](Decision& d) { d.layer = "cnv"; }),
            "it is the bias of 'cnv', which is no layer of the graph");
  EXPECT_EQ(after([](Decision& d) { d.values.push_back(1); }), "Conv 'conv' needs 2 values, not 3");
  EXPECT_EQ(after([](Decision& d) {
              d.layer = "fc";
              d.values.push_back(1);
            }),
            "Gemm 'fc' cannot take it as its bias");
}

/// Samples whose second channel is always 0, where the convolution has weights that are far larger than those
/// of the first: 8 bits per output channel leave nothing of these.
class EndangeredLayer : public testing::Test {
 protected:
  EndangeredLayer() {
    graph_ = prepare_network(plans::network())->graph;
    Tensor weights = *graph_.value(graph_.find("conv.w")).constant;
    for (std::size_t i = 0; i < 36; ++i) {
      weights.data<float>()[i] = i / 9 % 2 == 1 ? 300.0F : 0.1F * static_cast<float>(i % 7) - 0.2F;
    }
    plans::replace(graph_, "conv.w", std::move(weights));
    Tensor samples(ElementType::kFloat32, {16, 2, 4, 4});
    for (std::size_t i = 0; i < 512; ++i) {
      samples.data<float>()[i] = i / 16 % 2 == 1 ? 0 : static_cast<float>(i * i % 97) / 48 - 1;
    }
    evidence_.data = {*array_dataset(*array_in_memory("x", std::move(samples)), nullptr)};
    evidence_.statistics = *gather_statistics(graph_, evidence_.data);
  }

  QuantizedNetwork cured(const Recipe& recipe) {
    Result<QuantizedNetwork> network = NetworkQuantizer(graph_, evidence_).quantize_and_cure(recipe);
    EXPECT_TRUE(network.ok()) << network.status().message();
    return network.ok() ? *std::move(network) : QuantizedNetwork();
  }

  Graph graph_;
  Evidence evidence_;
};

TEST_F(EndangeredLayer, GetsMoreBitsAndTheRecordSaysSo) {
  QuantizedNetwork made = cured({});
  EXPECT_EQ(made.plan.find("conv.w")->type.bits, 16);
  EXPECT_EQ(made.plan.find("fc.w")->type.bits, 8);  // not in danger
  ASSERT_FALSE(made.record.empty());
  EXPECT_NE(made.record.back().find("1 layer has less than 20 dB"), std::string::npos);
  EXPECT_NE(made.record.back().find("1 got 16 bits"), std::string::npos) << made.record.back();
}

TEST_F(EndangeredLayer, StaysAsTheRecipeExplicitlyWishes) {
  Recipe recipe;
  recipe.protect = false;
  EXPECT_EQ(cured(recipe).plan.find("conv.w")->type.bits, 8);
  recipe.protect = true;
  recipe.weights.bits = 4;
  QuantizedNetwork four = cured(recipe);
  EXPECT_EQ(four.plan.find("conv.w")->type.bits, 4);
  EXPECT_NE(four.record.back().find("more bits do not help"), std::string::npos);
}

TEST_F(QuantizeNetwork, SoundLayersAreNotTouchedByTheCure) {
  Result<QuantizedNetwork> plain = NetworkQuantizer(graph_, evidence_).quantize({});
  Result<QuantizedNetwork> cured = NetworkQuantizer(graph_, evidence_).quantize_and_cure({});
  ASSERT_TRUE(plain.ok() && cured.ok());
  EXPECT_EQ(to_json(plain->plan), to_json(cured->plan));
  EXPECT_EQ(plain->record, cured->record);
}

TEST_F(QuantizeNetwork, NodesGetNamesOfTheirOwn) {
  Graph graph = plans::network();
  graph.nodes[0].name.clear();
  graph.nodes[1].name = graph.nodes[2].name = "twice";
  Graph named = prepare_network(std::move(graph), true)->graph;
  EXPECT_EQ(named.nodes[0].name, "Conv_1");
  EXPECT_EQ(named.nodes[1].name, "twice");
  EXPECT_EQ(named.nodes[2].name, "twice_1");
}

}  // namespace
}  // namespace zeropoint::toolchain
