#include "zeropoint/toolchain/onnx.h"

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cstdio>
#include <random>

#include "import/onnx_tensor.h"
#include "io/temporary_path_for_test.h"
#include "zeropoint/toolchain/file.h"

namespace zeropoint::toolchain {
namespace {

Graph sample_graph() {
  Graph graph;
  graph.name = "sample";
  graph.metadata["key"] = "value";
  ValueId x = graph.add_input("x", ElementType::kFloat32, {Dim("N"), 1, 6, 6});
  ValueId w = graph.add_constant("w", Tensor::of<float>({1, 1, 2, 2}, {1, 2, 3, 4}));
  ValueId c = graph.add_node(Op::kConv, "conv", {x, w}, "c", {{"strides", std::vector<std::int64_t>{2, 2}}});
  ValueId high = graph.add_constant("high", Tensor::of<float>({}, {6}));
  graph.outputs = {graph.add_node(Op::kClip, "clip", {c, kNoValue, high}, "y")};
  EXPECT_TRUE(infer_shapes(graph).ok());
  return graph;
}

std::string written(const Graph& graph) {
  std::string path = temporary_path_for_test("model.onnx");
  EXPECT_TRUE(write_onnx(graph, path).ok());
  std::vector<std::byte> content = *read_file(path);
  std::remove(path.c_str());
  return {reinterpret_cast<const char*>(content.data()), content.size()};
}

Result<Graph> read(const std::string& content) {
  return read_onnx(std::as_bytes(std::span(content)), "m.onnx");
}

/// The message of reading `sample_graph()` after `change` was made to its proto.
template <typename Change>
std::string message_after(Change change) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(written(sample_graph())));
  change(model);
  return read(model.SerializeAsString()).status().message();
}

TEST(Onnx, ReadsWhatItWrote) {
  Graph graph = sample_graph();
  Result<Graph> read_back = read(written(graph));
  ASSERT_TRUE(read_back.ok()) << read_back.status().message();
  EXPECT_EQ(print(*read_back), print(graph));
  EXPECT_EQ(read_back->metadata, graph.metadata);
  EXPECT_EQ(*read_back->value(read_back->find("w")).constant, *graph.value(graph.find("w")).constant);
}

TEST(Onnx, RefusesWhatItCannotRead) {
  EXPECT_EQ(read("not protobuf at all").status().message(), "m.onnx: not an ONNX model");
  EXPECT_EQ(read("").status().message(), "m.onnx: not an ONNX model");
  EXPECT_EQ(
      message_after([](onnx::ModelProto& m) { m.mutable_graph()->mutable_node(0)->set_op_type("Warp"); }),
      "m.onnx: node 'conv': operator Warp is not supported");
  EXPECT_EQ(message_after([](onnx::ModelProto& m) { m.mutable_graph()->mutable_node(0)->set_input(0, "z"); }),
            "m.onnx: Conv 'conv' reads tensor 'z', which nothing makes");
  EXPECT_EQ(message_after([](onnx::ModelProto& m) {
              m.mutable_graph()->mutable_initializer(0)->set_dims(0, 1LL << 60);
            }),
            "m.onnx: tensor 'w': its data does not fill its shape [1152921504606846976, 1, 2, 2] of float32");
  EXPECT_EQ(message_after(
                [](onnx::ModelProto& m) { m.mutable_graph()->mutable_initializer(0)->set_data_type(77); }),
            "m.onnx: tensor 'w': element type 77 is not supported");
  EXPECT_EQ(message_after([](onnx::ModelProto& m) { m.mutable_opset_import(0)->set_version(0); }),
            "m.onnx: opset 0 is older than 1, the oldest that is read");
  EXPECT_EQ(message_after([](onnx::ModelProto& m) { m.mutable_graph()->mutable_output(0)->set_name("q"); }),
            "m.onnx: no node makes output 'q'");
  EXPECT_EQ(message_after([](onnx::ModelProto& m) { m.mutable_graph()->clear_output(); }),
            "m.onnx: the model has no outputs");
}

/// The opset that a DequantizeLinear of `integers` is written with.
std::int64_t opset_of(const Tensor& integers, const Shape& scales, Attributes attributes) {
  Graph graph;
  ValueId q = graph.add_constant("q", integers);
  ValueId s = graph.add_constant("s", Tensor(ElementType::kFloat32, scales));
  graph.outputs = {graph.add_node(Op::kDequantizeLinear, "dq", {q, s}, "y", std::move(attributes))};
  EXPECT_TRUE(infer_shapes(graph).ok());
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(*to_onnx(graph)));
  return model.opset_import(0).version();
}

TEST(Onnx, NamesTheOldestOpsetThatHasWhatTheGraphUses) {
  EXPECT_EQ(opset_of(Tensor(ElementType::kInt8, {4}), {4}, {{"axis", std::int64_t{0}}}), 13);
  EXPECT_EQ(opset_of(Tensor(ElementType::kInt16, {4}), {}, {}), 21);
  EXPECT_EQ(opset_of(Tensor(ElementType::kInt8, {4}), {2},
                     {{"axis", std::int64_t{0}}, {"block_size", std::int64_t{2}}}),
            21);
}

TEST(Onnx, ReadsTypedFields) {
  onnx::TensorProto proto;
  proto.add_dims(3);
  proto.set_data_type(onnx::TensorProto::INT8);
  for (int value : {-128, 0, 127}) {
    proto.add_int32_data(value);
  }
  EXPECT_EQ(*tensor_from_proto(proto), Tensor::of<std::int8_t>({3}, {-128, 0, 127}));
  proto.set_data_type(onnx::TensorProto::FLOAT);
  EXPECT_FALSE(tensor_from_proto(proto).ok());
  for (float value : {1.0F, 2.0F, 3.0F}) {
    proto.add_float_data(value);
  }
  EXPECT_EQ(*tensor_from_proto(proto), Tensor::of<float>({3}, {1, 2, 3}));
}

// Whatever is done to the bytes of a model, reading ends in a graph or a message.
TEST(Onnx, SurvivesDamage) {
  std::string content = written(sample_graph());
  testing::internal::CaptureStderr();
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = content;
    for (unsigned n = random() % 4 + 1; n > 0; --n) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    damaged.resize(damaged.size() - (random() % 3 == 0 ? random() % damaged.size() : 0));
    Result<Graph> result = read(damaged);
    if (!result.ok()) {
      ASSERT_FALSE(result.status().message().empty());
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");  // the Status is the only report
}

}  // namespace
}  // namespace zeropoint::toolchain
