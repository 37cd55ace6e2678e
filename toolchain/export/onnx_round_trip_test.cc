// What a quantized network computes survives its ONNX file bit for bit.

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "compile/random_networks_for_test.h"
#include "import/onnx_tensor.h"
#include "io/temporary_path_for_test.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/architectures.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/float_executor.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

Graph through_a_file(const Graph& graph) {
  std::string path = temporary_path_for_test("model.onnx");
  EXPECT_TRUE(write_onnx(graph, path).ok());
  Result<Graph> read = read_onnx(path);
  std::remove(path.c_str());
  EXPECT_TRUE(read.ok()) << read.status().message();
  return read.ok() ? *read : Graph{};
}

std::vector<Tensor> outputs_of(const Graph& graph, RequantizeMode mode, const Tensor& input) {
  Result<Lowering> lowered = lower(graph, mode);
  EXPECT_TRUE(lowered.ok()) << lowered.status().message();
  if (!lowered.ok()) {
    return {};
  }
  Result<std::vector<Tensor>> outputs = run_reference(lowered->program, std::span(&input, 1));
  EXPECT_TRUE(outputs.ok()) << outputs.status().message();
  return outputs.ok() ? *outputs : std::vector<Tensor>{};
}

void expect_same(const Graph& graph, const Tensor& input) {
  Graph read = through_a_file(graph);
  EXPECT_EQ(print(read), print(graph));
  for (RequantizeMode mode : {RequantizeMode::kFloat, RequantizeMode::kFixedPoint}) {
    std::vector<Tensor> before = outputs_of(graph, mode, input);
    ASSERT_FALSE(before.empty());
    EXPECT_EQ(outputs_of(read, mode, input), before);
  }
}

TEST(OnnxRoundTrip, AQuantizedLeNetComputesTheSameBits) {
  Graph real = *make_architecture("lenet", {.seed = 3});
  Random random(1);
  Tensor input = oracle::random_tensor({2, 1, 28, 28}, random);
  RangeTable ranges = random_networks::ranges_of(real, input);
  for (int bits : {8, 4}) {
    Recipe recipe;
    recipe.activations.bits = bits;
    recipe.weights.bits = bits;
    recipe.output = bits == 8 ? Recipe::Output::kAccumulator : Recipe::Output::kQuantized;
    expect_same(*apply_plan(real, *make_plan(real, ranges, recipe)), input);
  }
}

TEST(OnnxRoundTrip, RandomQuantizedNetworksComputeTheSameBits) {
  for (std::uint64_t seed = 10000; seed < 10100; ++seed) {
    SCOPED_TRACE(seed);
    Result<random_networks::Quantized> network = random_networks::random_quantized(seed);
    ASSERT_TRUE(network.ok()) << network.status().message();
    expect_same(network->graph, network->input);
  }
}

/// The models of the data that is not part of the project.
std::vector<std::filesystem::path> real_models() {
  const char* data = std::getenv("ZEROPOINT_DATA");
  std::vector<std::filesystem::path> models;
  for (const char* folder : {"models", "models_quantized_by_ort"}) {
    std::filesystem::path path = std::filesystem::path(data == nullptr ? "" : data) / folder;
    if (data == nullptr || !std::filesystem::exists(path)) {
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      models.push_back(entry.path());
    }
  }
  std::sort(models.begin(), models.end());
  return models;
}

std::vector<Tensor> float_outputs(const Graph& graph) {
  Random random(1);
  std::vector<Tensor> inputs;
  for (ValueId id : graph.inputs) {
    Shape shape = shape_of(*graph.value(id).dims, 1);
    bool real = graph.value(id).type == ElementType::kFloat32;
    inputs.push_back(real ? oracle::random_tensor(shape, random) : Tensor(graph.value(id).type, shape));
  }
  Result<FloatExecutor> executor = FloatExecutor::create(graph);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  Result<std::vector<Tensor>> outputs = executor.ok() ? executor->run(inputs) : executor.status();
  EXPECT_TRUE(outputs.ok()) << outputs.status().message();
  return outputs.ok() ? *outputs : std::vector<Tensor>{};
}

void expect_same_graph(const Graph& read, const Graph& graph) {
  EXPECT_EQ(print(read), print(graph));
  EXPECT_EQ(read.metadata, graph.metadata);
  for (const Value& value : graph.values) {
    if (value.constant != nullptr) {
      ValueId id = read.find(value.name);
      ASSERT_NE(id, kNoValue) << value.name;
      EXPECT_EQ(*read.value(id).constant, *value.constant) << value.name;
    }
  }
}

TEST(OnnxRoundTrip, RealModelsStayWhatTheyAre) {
  std::vector<std::filesystem::path> models = real_models();
  if (models.empty()) {
    GTEST_SKIP() << "no real models: set ZEROPOINT_DATA";
  }
  for (const std::filesystem::path& path : models) {
    SCOPED_TRACE(path.string());
    Result<Graph> graph = read_onnx(path.string());
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    std::vector<Tensor> outputs = float_outputs(*graph);
    for (bool external : {false, true}) {
      std::string folder = temporary_path_for_test("round_trip");
      std::filesystem::create_directory(folder);
      std::string file = folder + "/model.onnx";
      ASSERT_TRUE(write_onnx(*graph, file, {.opset = {}, .external_data = external}).ok());
      EXPECT_EQ(std::filesystem::exists(file + ".data"), external);
      Result<Graph> read = read_onnx(file);
      std::filesystem::remove_all(folder);
      ASSERT_TRUE(read.ok()) << read.status().message();
      expect_same_graph(*read, *graph);
      EXPECT_EQ(float_outputs(*read), outputs);
    }
  }
}

/// A value of the kind that is not the default of any attribute.
Attribute unusual(AttributeKind kind) {
  switch (kind) {
    case AttributeKind::kInt:
      return std::int64_t{7};
    case AttributeKind::kFloat:
      return 0.375F;
    case AttributeKind::kString:
      return std::string("unusual");
    case AttributeKind::kInts:
      return std::vector<std::int64_t>{7, -3};
    case AttributeKind::kFloats:
      return std::vector<float>{0.375F, -1};
    case AttributeKind::kStrings:
      return std::vector<std::string>{"unusual", ""};
    case AttributeKind::kTensor:
      return std::make_shared<const Tensor>(Tensor::of<std::int64_t>({2}, std::vector<std::int64_t>{7, -3}));
  }
  return {};
}

void expect_holds(const onnx::AttributeProto& proto, const Attribute& attribute) {
  switch (static_cast<AttributeKind>(attribute.index())) {
    case AttributeKind::kInt:
      EXPECT_EQ(proto.type(), onnx::AttributeProto::INT);
      EXPECT_EQ(proto.i(), 7);
      return;
    case AttributeKind::kFloat:
      EXPECT_EQ(proto.type(), onnx::AttributeProto::FLOAT);
      EXPECT_EQ(proto.f(), 0.375F);
      return;
    case AttributeKind::kString:
      EXPECT_EQ(proto.type(), onnx::AttributeProto::STRING);
      EXPECT_EQ(proto.s(), "unusual");
      return;
    case AttributeKind::kInts:
      EXPECT_EQ(proto.type(), onnx::AttributeProto::INTS);
      EXPECT_EQ(std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end()),
                (std::vector<std::int64_t>{7, -3}));
      return;
    case AttributeKind::kFloats:
      EXPECT_EQ(proto.type(), onnx::AttributeProto::FLOATS);
      EXPECT_EQ(std::vector<float>(proto.floats().begin(), proto.floats().end()),
                (std::vector<float>{0.375F, -1}));
      return;
    case AttributeKind::kStrings:
      EXPECT_EQ(proto.type(), onnx::AttributeProto::STRINGS);
      EXPECT_EQ(proto.strings_size(), 2);
      return;
    case AttributeKind::kTensor:
      EXPECT_EQ(proto.type(), onnx::AttributeProto::TENSOR);
      EXPECT_EQ(*tensor_from_proto(proto.t()), *std::get<std::shared_ptr<const Tensor>>(attribute));
      return;
  }
}

TEST(OnnxRoundTrip, EveryAttributeOfEveryOperatorIsWritten) {
  std::size_t written = 0;
  for (std::size_t i = 0; i < all_operators().size(); ++i) {
    const OpInfo& info = all_operators()[i];
    SCOPED_TRACE(info.name);
    Graph graph;
    Node node{static_cast<Op>(i), "node", {}, {}, {}};
    for (std::size_t input = 0; input < info.min_inputs; ++input) {
      node.inputs.push_back(graph.add_input("x" + std::to_string(input), ElementType::kFloat32, {2, 3}));
    }
    node.outputs.push_back(graph.add_value("y"));
    for (const AttributeInfo& attribute : info.attributes) {
      node.attributes[std::string(attribute.name)] = unusual(attribute.kind());
    }
    graph.outputs = node.outputs;
    graph.nodes.push_back(node);
    Result<std::string> content = to_onnx(graph, 27);
    ASSERT_TRUE(content.ok()) << content.status().message();
    onnx::ModelProto model;
    ASSERT_TRUE(model.ParseFromString(*content));
    const onnx::NodeProto& proto = model.graph().node(0);
    EXPECT_EQ(proto.op_type(), info.name);
    EXPECT_EQ(proto.domain(), info.domain);
    EXPECT_EQ(proto.input_size(), static_cast<int>(info.min_inputs));
    ASSERT_EQ(proto.attribute_size(), static_cast<int>(info.attributes.size()));
    for (const onnx::AttributeProto& attribute : proto.attribute()) {
      expect_holds(attribute, node.attributes.at(attribute.name()));
      ++written;
    }
  }
  EXPECT_GT(written, 100U);
}

}  // namespace
}  // namespace zeropoint::toolchain
