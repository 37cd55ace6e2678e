// Small files that ask for much: what is read stays in proportion, and the error says which limit it met.

#include <gtest/gtest.h>

#include "import/graph_builder.h"
#include "import/onnx_model_for_test.h"

namespace zeropoint::toolchain {
namespace {

using Model = OnnxModelForTest;
using Ints = std::vector<std::int64_t>;

/// A body that hands its condition on.
onnx::GraphProto& body_of(onnx::NodeProto& loop) {
  onnx::GraphProto& body = Model::subgraph(loop, "body");
  body.add_input()->set_name("round");
  body.add_input()->set_name("go");
  body.add_output()->set_name("go");
  return body;
}

/// `loop_count` loops of `rounds` rounds, each in the body of the one before it.
Model nested_loops(int loop_count, std::int64_t rounds) {
  Model model(17);
  model.input("x", {1});
  model.weight("rounds", Tensor::of<std::int64_t>({}, Ints{rounds}));
  model.node("Relu", {"x"}, {"y"});
  model.output("y");
  auto* nodes = model.proto.mutable_graph()->mutable_node();
  for (int i = 0; i < loop_count; ++i) {
    nodes = body_of(Model::add(*nodes, "Loop", {"rounds", ""}, {})).mutable_node();
  }
  return model;
}

TEST(OnnxLimits, RoundsCountAsNodes) {
  EXPECT_EQ(nested_loops(2, 300).message(), "");
  EXPECT_EQ(nested_loops(2, 1000).message(),
            "m.onnx: Loop '': Loop '': with functions and loops written out it has more than 200000 nodes "
            "and rounds");
}

TEST(OnnxLimits, OrderIsFoundOncePerSubgraph) {
  Model model = nested_loops(1, 9'000);
  onnx::NodeProto& loop = *model.proto.mutable_graph()->mutable_node(1);
  onnx::GraphProto& body = *loop.mutable_attribute(0)->mutable_g();
  model.weight("yes", Tensor(ElementType::kBool, {}));
  onnx::NodeProto& choice = Model::add(*body.mutable_node(), "If", {"yes"}, {});
  Model::subgraph(choice, "else_branch");
  onnx::GraphProto& untaken = Model::subgraph(choice, "then_branch");
  for (int i = 0; i < 1000; ++i) {
    Model::add(*untaken.mutable_node(), "Relu", {"x"}, {}).add_output("r" + std::to_string(i));
  }
  EXPECT_EQ(model.message(), "");
}

/// A function of `count` nodes, called by a node of that name.
Model call(const std::string& name, int count) {
  Model model(17);
  model.input("x", {1});
  onnx::NodeProto& node = model.node("F", {"x"}, {"y"});
  node.set_domain("local");
  node.set_name(name);
  model.output("y");
  onnx::OperatorSetIdProto& opset = *model.proto.add_opset_import();
  opset.set_domain("local");
  opset.set_version(1);
  onnx::FunctionProto& function = *model.proto.add_functions();
  function.set_domain("local");
  function.set_name("F");
  function.add_opset_import()->set_version(17);
  function.add_input("n0");
  function.add_output("n" + std::to_string(count));
  for (int i = 0; i < count; ++i) {
    onnx::NodeProto& inner = *function.add_node();
    inner.set_op_type("Relu");
    inner.add_input("n" + std::to_string(i));
    inner.add_output("n" + std::to_string(i + 1));
  }
  return model;
}

TEST(OnnxLimits, NamesAround) {
  EXPECT_EQ(call(std::string(4000, 'Q'), 3).message(), "");
  std::string message = call(std::string(5000, 'Q'), 3).message();
  EXPECT_NE(message.find("around a node are longer than 4096 bytes together"), std::string::npos) << message;
}

TEST(OnnxLimits, AllThatIsNotWeights) {
  std::string message = call(std::string(4000, 'Q'), 50'000).message();
  EXPECT_NE(message.find("the graph takes more than 512 MB beside its weights"), std::string::npos)
      << message.substr(0, 200);
}

TEST(OnnxLimits, ListsThatEveryRoundMakesAnew) {
  Model model = nested_loops(1, 9'000);
  onnx::GraphProto& body = *model.proto.mutable_graph()->mutable_node(1)->mutable_attribute(0)->mutable_g();
  onnx::NodeProto& constant = Model::add(*body.mutable_node(), "Constant", {}, {"list"});
  Model::set(constant, "value_ints", Ints(100'000, 1));
  std::string message = model.message();
  EXPECT_NE(message.find("the graph takes more than 512 MB beside its weights"), std::string::npos)
      << message;
}

TEST(OnnxLimits, AxesAndSymbolsOfInputs) {
  Model model(17);
  onnx::ValueInfoProto& x = model.input("x", Ints(64, 1));
  model.node("Relu", {"x"}, {"y"});
  model.output("y");
  EXPECT_EQ(model.message(), "");
  auto& shape = *x.mutable_type()->mutable_tensor_type()->mutable_shape();
  shape.mutable_dim(0)->set_dim_param(std::string(5000, 'N'));
  std::string refusal = "m.onnx: input 'x': at most 64 axes, of symbols of at most 4096 bytes, are supported";
  EXPECT_EQ(model.message(), refusal);
  shape.mutable_dim(0)->set_dim_param("N");
  EXPECT_EQ(model.message(), "");
  shape.add_dim()->set_dim_value(1);
  EXPECT_EQ(model.message(), refusal);
}

TEST(OnnxLimits, ElementsThatAreFollowedAreShared) {
  GraphBuilder builder(false);
  ValueId list = builder.add_constant("list", Tensor::of<std::int64_t>({1024}, Ints(1024, 1)));
  for (int i = 0; i < 20'000; ++i) {  // copies of 40 kB each would pass the limit
    Result<ValueId> next = builder.add_node(Op::kIdentity, "copy", {list});
    ASSERT_TRUE(next.ok()) << next.status().message();
    list = *next;
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
