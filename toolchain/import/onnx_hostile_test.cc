// Models that are none: one clear error each, which names file, node, operator, tensor.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "import/onnx_model_for_test.h"
#include "io/temporary_path_for_test.h"
#include "zeropoint/toolchain/file.h"

namespace zeropoint::toolchain {
namespace {

namespace fs = std::filesystem;
using Model = OnnxModelForTest;

Tensor weights() { return Tensor::of<float>({2}, std::vector<float>{1, 2}); }

/// y = Relu(x + w)
Model good() {
  Model model(13);
  model.input("x", {2});
  model.weight("w", weights());
  model.node("Add", {"x", "w"}, {"s"});
  model.node("Relu", {"s"}, {"y"});
  model.output("y");
  return model;
}

onnx::NodeProto& add_of(Model& model) { return *model.proto.mutable_graph()->mutable_node(0); }
onnx::TensorShapeProto::Dimension& extent_of(Model& model) {
  return *model.proto.mutable_graph()
              ->mutable_input(0)
              ->mutable_type()
              ->mutable_tensor_type()
              ->mutable_shape()
              ->mutable_dim(0);
}

TEST(OnnxHostile, ACycle) {
  Model model = good();
  add_of(model).set_input(1, "y");
  EXPECT_EQ(model.message(),
            "m.onnx: nodes wait for each other: Add 'make_s' -> Relu 'make_y' -> Add 'make_s'");
}

TEST(OnnxHostile, AMissingInitializer) {
  Model model = good();
  model.proto.mutable_graph()->clear_initializer();
  EXPECT_EQ(model.message(), "m.onnx: Add 'make_s' reads tensor 'w', which nothing makes");
}

TEST(OnnxHostile, WrongTypes) {
  Model model = good();
  model.proto.mutable_graph()->clear_initializer();
  model.weight("w", Tensor(ElementType::kInt64, {2}));
  std::string message = model.message();
  EXPECT_TRUE(message.starts_with("m.onnx: Add 'make_s': ")) << message;
  EXPECT_NE(message.find("int64"), std::string::npos) << message;

  Model conv = good();
  add_of(conv).set_op_type("Conv");
  EXPECT_TRUE(conv.message().starts_with("m.onnx: Conv 'make_s': ")) << conv.message();

  Model text = good();
  text.proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(8);
  EXPECT_EQ(text.message(), "m.onnx: input 'x': element type 8 is not supported");

  Model sequence = good();
  sequence.proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type();
  EXPECT_EQ(sequence.message(), "m.onnx: input 'x' is no tensor");
}

TEST(OnnxHostile, Dimensions) {
  Model negative = good();
  extent_of(negative).set_dim_value(-7);
  EXPECT_EQ(negative.message(), "m.onnx: input 'x': extent -7 is negative");

  Model overflowing = good();
  extent_of(overflowing).set_dim_value(INT64_MAX);
  overflowing.proto.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->add_dim()
      ->set_dim_value(3);
  EXPECT_TRUE(overflowing.message().starts_with("m.onnx: input 'x': ")) << overflowing.message();

  for (std::int64_t extent : {std::int64_t{-2}, std::int64_t{1} << 62, std::int64_t{3}}) {
    Model weight = good();
    weight.proto.mutable_graph()->mutable_initializer(0)->set_dims(0, extent);
    EXPECT_TRUE(weight.message().starts_with("m.onnx: tensor 'w': ")) << weight.message();
  }

  Model unlike = good();
  extent_of(unlike).set_dim_value(5);
  EXPECT_EQ(unlike.message(), "m.onnx: Add 'make_s': shapes [5] and [2] cannot be broadcast to each other");
}

TEST(OnnxHostile, UnknownOperatorsAndDomains) {
  Model unknown = good();
  add_of(unknown).set_op_type("Warp");
  EXPECT_EQ(unknown.message(), "m.onnx: node 'make_s': operator Warp is not supported");

  Model misspelt = good();
  add_of(misspelt).set_op_type("Ad");
  EXPECT_EQ(misspelt.message(), "m.onnx: node 'make_s': operator Ad is not supported; did you mean Add?");

  Model domain = good();
  add_of(domain).set_domain("org.example");
  EXPECT_EQ(domain.message(), "m.onnx: Add 'make_s': the model names no opset of its domain 'org.example'");
  onnx::OperatorSetIdProto& opset = *domain.proto.add_opset_import();
  opset.set_domain("org.example");
  opset.set_version(1);
  EXPECT_EQ(domain.message(), "m.onnx: node 'make_s': operator org.example.Add is not supported");
}

TEST(OnnxHostile, NodesOfTheWrongForm) {
  Model few = good();
  add_of(few).mutable_input()->RemoveLast();
  EXPECT_EQ(few.message(), "m.onnx: Add 'make_s' has 1 inputs; 2 to 2 are needed");

  Model attribute = good();
  Model::set(add_of(attribute), "colour", std::int64_t{3});
  EXPECT_EQ(attribute.message(), "m.onnx: Add 'make_s' has attribute 'colour', which is not known here");

  Model kind = good();
  add_of(kind).set_op_type("Concat");
  Model::set(add_of(kind), "axis", 0.5F);
  EXPECT_EQ(kind.message(), "m.onnx: Concat 'make_s': attribute 'axis' is of the wrong kind");

  Model twice = good();
  twice.node("Neg", {"x"}, {"s"});
  EXPECT_EQ(twice.message(), "m.onnx: Neg 'make_s' makes tensor 's' a second time");

  Model shadow = good();
  shadow.node("Neg", {"x"}, {"w"});
  EXPECT_NE(shadow.message().find("makes tensor 'w' a second time"), std::string::npos) << shadow.message();
}

TEST(OnnxHostile, ANodeThatMakesNothing) {
  Model model = good();
  model.weight("yes", Tensor(ElementType::kBool, {}));
  model.node("Shape", {"x"}, {""});
  model.node("TopK", {"x", "k"}, {"", "places"});
  model.weight("k", Tensor::of<std::int64_t>({1}, std::vector<std::int64_t>{1}));
  onnx::NodeProto& choice = model.node("If", {"yes"}, {});  // so that constants are computed on the way
  Model::subgraph(choice, "else_branch");
  Result<Graph> graph = model.read();
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(graph->nodes.size(), 3U);  // Add, Relu, TopK

  Model wrong = good();
  Model::set(wrong.node("Softmax", {"x"}, {""}), "axis", std::int64_t{9});
  EXPECT_NE(wrong.message().find("axis 9 is outside of input [2]"), std::string::npos) << wrong.message();
}

// Before opset 14 further outputs are dropped; a node without any gains none.
TEST(OnnxHostile, ABatchNormalizationWithoutOutputs) {
  Model model = good();
  Model::add(*model.proto.mutable_graph()->mutable_node(), "BatchNormalization", {"x", "w", "w", "w", "w"},
             {})
      .set_name("bn");
  EXPECT_EQ(model.message(), "m.onnx: BatchNormalization 'bn' has 0 outputs; 1 to 3 are needed");
}

TEST(OnnxHostile, FilesThatAreNoModel) {
  std::string path = temporary_path_for_test("hostile.onnx");
  for (const std::string& content : {std::string(), std::string("\x00\xFF\xFE", 3), std::string(1000, '\xFF'),
                                     std::string("not protobuf")}) {
    ASSERT_TRUE(write_file(path, content).ok());
    EXPECT_EQ(read_onnx(path).status().message(), path + ": not an ONNX model");
  }
  std::string whole = good().proto.SerializeAsString();
  ASSERT_TRUE(write_file(path, whole.substr(0, whole.size() - 3)).ok());
  EXPECT_EQ(read_onnx(path).status().message(),
            path + ": begins as an ONNX model, but is damaged or cut short");
  for (std::size_t length = 0; length < whole.size(); ++length) {  // cut anywhere
    ASSERT_TRUE(write_file(path, whole.substr(0, length)).ok());
    Result<Graph> graph = read_onnx(path);
    if (!graph.ok()) {
      EXPECT_TRUE(graph.status().message().starts_with(path + ": ")) << graph.status().message();
    }
  }
  fs::remove(path);
  EXPECT_TRUE(read_onnx(path).status().message().starts_with(path + ": cannot open: No such file"));
  fs::create_directory(path);
  EXPECT_EQ(read_onnx(path).status().message(), path + ": not a regular file");
  fs::remove(path);
}

class OnnxExternalData : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ + "/model");
    ASSERT_TRUE(write_file(folder_ + "/model/w.bin", std::string(100, '\1')).ok());
    ASSERT_TRUE(write_file(folder_ + "/secret.bin", std::string(100, '\2')).ok());
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// The message of reading a model whose weight, of 8 bytes, lies there.
  std::string message_of(const std::string& location, const std::string& offset = "",
                         const std::string& length = "") {
    Model model = good();
    onnx::TensorProto& weight = *model.proto.mutable_graph()->mutable_initializer(0);
    weight.clear_raw_data();
    weight.set_data_location(onnx::TensorProto::EXTERNAL);
    for (auto [key, value] :
         {std::pair{"location", location}, std::pair{"offset", offset}, std::pair{"length", length}}) {
      if (!value.empty()) {
        onnx::StringStringEntryProto& entry = *weight.add_external_data();
        entry.set_key(key);
        entry.set_value(value);
      }
    }
    std::string path = folder_ + "/model/m.onnx";
    EXPECT_TRUE(write_file(path, model.proto.SerializeAsString()).ok());
    std::string message = read_onnx(path).status().message();
    std::string start = path + ": tensor 'w': ";
    return message.starts_with(start) ? message.substr(start.size()) : message;
  }

  std::string folder_ = temporary_path_for_test("external_data");
};

TEST_F(OnnxExternalData, IsReadFromTheModelsFolderAlone) {
  EXPECT_EQ(message_of("w.bin", "92", "8"), "");
  EXPECT_EQ(message_of("w.bin"), "");
  EXPECT_EQ(message_of("../secret.bin"), "external data '../secret.bin' lies outside of the model's folder");
  EXPECT_EQ(message_of("sub/../../secret.bin"),
            "external data 'sub/../../secret.bin' lies outside of the model's folder");
  EXPECT_EQ(message_of(folder_ + "/secret.bin"),
            "external data '" + folder_ + "/secret.bin' lies outside of the model's folder");
  fs::create_symlink(folder_ + "/secret.bin", folder_ + "/model/link.bin");
  EXPECT_EQ(message_of("link.bin"), "external data 'link.bin' lies outside of the model's folder");
}

TEST_F(OnnxExternalData, MustHoldWhatItSays) {
  EXPECT_EQ(message_of("none.bin"), "external data 'none.bin': No such file or directory");
  EXPECT_EQ(message_of("w.bin", "93"), "external data 'w.bin' has 100 bytes; 8 from 93 on are needed");
  EXPECT_EQ(message_of("w.bin", "9000000000000000000"),
            "external data 'w.bin' has 100 bytes; 8 from 9000000000000000000 on are needed");
  EXPECT_EQ(message_of("w.bin", "-1"), "external data: offset '-1' is no number of bytes");
  EXPECT_EQ(message_of("w.bin", "99999999999999999999999"),
            "external data: offset '99999999999999999999999' is no number of bytes");
  EXPECT_EQ(message_of("w.bin", "0", "4"), "external data: 4 bytes do not fill its shape, which needs 8");
  EXPECT_EQ(message_of(""), "external data: no location is given");
  EXPECT_EQ(message_of("."), "external data '.' is no regular file");
  ASSERT_EQ(::mkfifo((folder_ + "/model/pipe").c_str(), 0600), 0);  // nobody writes into it
  EXPECT_EQ(message_of("pipe"), "external data 'pipe' is no regular file");
}

}  // namespace
}  // namespace zeropoint::toolchain
