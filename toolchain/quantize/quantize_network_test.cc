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
