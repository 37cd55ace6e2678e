// Weights in a file beside the model.

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <filesystem>

#include "io/temporary_path_for_test.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

namespace fs = std::filesystem;

class ExternalWeightsTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directory(folder_); }
  void TearDown() override {
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
  }

  [[nodiscard]] std::string model() const { return folder_ + "/model.onnx"; }

  std::string folder_ = temporary_path_for_test("external");
};

Tensor counting(const Shape& shape) {
  Tensor tensor(ElementType::kFloat32, shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.data<float>()[i] = static_cast<float>(i);
  }
  return tensor;
}

/// Weights of 40 bytes, of 4 KiB and a little, of 1 MiB and more, and packed ones.
Graph graph_with_weights() {
  Graph graph;
  graph.name = "weights";
  graph.outputs = {
      graph.add_constant("small", counting({10})), graph.add_constant("middle", counting({1030})),
      graph.add_constant("large", counting({300'000})), graph.add_constant("middle2", counting({500}))};
  Tensor nibbles(ElementType::kInt4, {5001});
  for (std::int64_t i = 0; i < nibbles.size(); ++i) {
    nibbles.data<std::int8_t>()[i] = static_cast<std::int8_t>(i % 16 - 8);
  }
  graph.outputs.push_back(graph.add_constant("nibbles", std::move(nibbles)));
  return graph;
}

onnx::ModelProto proto_at(const std::string& path) {
  std::vector<std::byte> content = *read_file(path);
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromArray(content.data(), static_cast<int>(content.size())));
  return model;
}

std::string entry_of(const onnx::TensorProto& tensor, const std::string& key) {
  for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
    if (entry.key() == key) {
      return entry.value();
    }
  }
  return "";
}

TEST_F(ExternalWeightsTest, LieAtPagesAndComeBack) {
  Graph graph = graph_with_weights();
  ASSERT_EQ(write_onnx(graph, model(), {.opset = {}, .external_data = true}).message(), "");
  EXPECT_LT(fs::file_size(model()), 2000U);
  onnx::ModelProto proto = proto_at(model());
  for (const onnx::TensorProto& tensor : proto.graph().initializer()) {
    if (tensor.name() == "small") {
      EXPECT_EQ(tensor.data_location(), onnx::TensorProto::DEFAULT);
      continue;
    }
    EXPECT_EQ(entry_of(tensor, "location"), "model.onnx.data");
    std::int64_t offset = std::stoll(entry_of(tensor, "offset"));
    EXPECT_EQ(offset % (tensor.name() == "large" ? 65536 : 4096), 0) << tensor.name();
    EXPECT_EQ(entry_of(tensor, "length") == "2501", tensor.name() == "nibbles");
  }
  Result<Graph> read = read_onnx(model());
  ASSERT_TRUE(read.ok()) << read.status().message();
  for (const Value& value : graph.values) {
    EXPECT_EQ(*read->value(read->find(value.name)).constant, *value.constant) << value.name;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 2);
}

TEST_F(ExternalWeightsTest, NothingIsLeftOfWhatCannotBeWritten) {
  Graph graph = graph_with_weights();
  fs::create_directory(model());  // a folder stands where the model should
  EXPECT_FALSE(write_onnx(graph, model(), {.opset = {}, .external_data = true}).ok());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
  EXPECT_EQ(write_onnx(graph, folder_ + "/none/model.onnx", {.opset = {}, .external_data = true}).code(),
            Status::not_found("").code());
}

TEST_F(ExternalWeightsTest, TruncatedDataIsAnError) {
  ASSERT_TRUE(write_onnx(graph_with_weights(), model(), {.opset = {}, .external_data = true}).ok());
  fs::resize_file(model() + ".data", 100'000);
  std::string message = read_onnx(model()).status().message();
  EXPECT_NE(message.find("tensor 'large': external data 'model.onnx.data' has 100000 bytes"),
            std::string::npos)
      << message;
  fs::remove(model() + ".data");
  message = read_onnx(model()).status().message();
  EXPECT_NE(message.find("tensor 'middle': external data 'model.onnx.data': No such file"), std::string::npos)
      << message;
}

}  // namespace
}  // namespace zeropoint::toolchain
