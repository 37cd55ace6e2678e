// How models are put together: nodes in any order, weights anywhere, functions, If and Loop, what is left
// empty.

#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <set>

#include "import/onnx_model_for_test.h"

namespace zeropoint::toolchain {
namespace {

using Model = OnnxModelForTest;
using Floats = std::vector<float>;

Tensor floats(const Floats& values) {
  return Tensor::of<float>({static_cast<std::int64_t>(values.size())}, values);
}
Tensor number(std::int64_t value) { return Tensor::of<std::int64_t>({}, std::vector{value}); }
Tensor boolean(bool value) {
  Tensor tensor(ElementType::kBool, {});
  *tensor.bytes() = std::byte{value};
  return tensor;
}

void expect(const Model& model, const std::vector<Tensor>& inputs, const Floats& expected) {
  std::vector<Tensor> outputs = model.run(inputs);
  ASSERT_EQ(outputs.size(), 1U);
  std::span<const float> data = outputs[0].data<float>();
  EXPECT_EQ(Floats(data.begin(), data.end()), expected);
}

TEST(OnnxStructure, NodesStandInAnyOrder) {
  Model model(13);
  model.input("x", {2});
  model.node("Add", {"c", "b"}, {"y"});
  model.node("Mul", {"b", "b"}, {"c"});
  model.node("Neg", {"x"}, {"b"});
  model.output("y");
  expect(model, {floats({1, 3})}, {0, 6});
}

TEST(OnnxStructure, WeightsAreInitializersInputsOrConstants) {
  Model model(13);
  model.input("x", {2});
  model.input("w", {2});  // the default of an input that need not be given
  model.weight("w", floats({10, 20}));
  tensor_to_proto(floats({5, 7}), "", *model.node("Constant", {}, {"c"}).add_attribute()->mutable_t());
  model.proto.mutable_graph()->mutable_node(0)->mutable_attribute(0)->set_name("value");
  model.proto.mutable_graph()->mutable_node(0)->mutable_attribute(0)->set_type(onnx::AttributeProto::TENSOR);
  Model::set(model.node("Constant", {}, {"k"}), "value_float", 0.5F);
  model.node("Sum", {"x", "w", "c", "k"}, {"y"});
  model.output("y");
  Result<Graph> graph = model.read();
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(graph->inputs.size(), 1U);
  EXPECT_EQ(graph->nodes.size(), 1U);
  expect(model, {floats({1, 3})}, {16.5F, 30.5F});
}

TEST(OnnxStructure, EmptyInputsAndUnusedOutputs) {
  Model model(13);
  model.input("x", {4});
  model.weight("high", Tensor::of<float>({}, Floats{2}));
  model.weight("k", Tensor::of<std::int64_t>({1}, std::vector<std::int64_t>{2}));
  model.node("Clip", {"x", "", "high"}, {"c"});
  model.node("TopK", {"c", "k"}, {"y", ""});
  model.output("y");
  expect(model, {floats({5, -1, 0, 1})}, {2, 1});
}

TEST(OnnxStructure, WeightsOfHalfPrecision) {
  for (ElementType type : {ElementType::kFloat16, ElementType::kBFloat16}) {
    Model model(13);
    model.input("x", {2}, type);
    Tensor weight(type, {2});  // 1.5 and -2 in both
    std::vector<std::uint16_t> bits = type == ElementType::kFloat16
                                          ? std::vector<std::uint16_t>{0x3E00, 0xC000}
                                          : std::vector<std::uint16_t>{0x3FC0, 0xC000};
    std::copy_n(reinterpret_cast<const std::byte*>(bits.data()), 4, weight.bytes());
    model.weight("w", weight);
    model.node("Add", {"x", "w"}, {"s"});
    Model::set(model.node("Cast", {"s"}, {"y"}), "to", std::int64_t{onnx::TensorProto::FLOAT});
    model.output("y");
    expect(model, {Tensor(type, {2})}, {1.5F, -2});
    Result<Graph> graph = model.read();
    EXPECT_EQ(*graph->value(graph->find("w")).constant, weight);  // in its stored form
  }
}

TEST(OnnxStructure, PackedWeightsOfFourBits) {
  Model model(21);
  onnx::TensorProto& weight = model.weight("w", Tensor(ElementType::kInt4, {3}));
  weight.set_raw_data(std::string("\xF7\x08", 2));  // low halves first: 7, -1, -8
  model.weight("s", Tensor::of<float>({}, Floats{0.5F}));
  model.input("x", {3});
  model.node("DequantizeLinear", {"w", "s"}, {"d"});
  model.node("Add", {"x", "d"}, {"y"});
  model.output("y");
  expect(model, {floats({0, 0, 0})}, {3.5F, -0.5F, -4});
}

TEST(OnnxStructure, FunctionsAreWrittenOut) {
  Model model(13);
  onnx::OperatorSetIdProto& opset = *model.proto.add_opset_import();
  opset.set_domain("mine");
  opset.set_version(1);
  onnx::FunctionProto& function = *model.proto.add_functions();
  function.set_domain("mine");
  function.set_name("Leaky");
  function.add_input("a");
  function.add_output("r");
  function.add_attribute("slope");
  function.add_opset_import()->set_version(13);
  Model::add(*function.mutable_node(), "Abs", {"a"}, {"t"});
  onnx::NodeProto& leaky = Model::add(*function.mutable_node(), "LeakyRelu", {"a"}, {"l"});
  onnx::AttributeProto& slope = *leaky.add_attribute();
  slope.set_name("alpha");
  slope.set_ref_attr_name("slope");
  slope.set_type(onnx::AttributeProto::FLOAT);
  Model::add(*function.mutable_node(), "Add", {"t", "l"}, {"r"});
  model.input("x", {2});
  for (auto [in, out, alpha] : {std::tuple{"x", "u", 0.5F}, std::tuple{"u", "y", 0.25F}}) {
    onnx::NodeProto& call = model.node("Leaky", {in}, {out});
    call.set_domain("mine");
    Model::set(call, "slope", alpha);
  }
  model.output("y");
  expect(model, {floats({-4, 3})}, {4, 12});
}

/// Doubles x `trips` times.
Model doubling(std::optional<std::int64_t> trips) {
  Model model(13);
  model.input("x", {2});
  if (trips) {
    model.weight("trips", number(*trips));
  } else {
    model.input("trips", {}, ElementType::kInt64);
  }
  onnx::NodeProto& loop = model.node("Loop", {"trips", "", "x"}, {"y"});
  onnx::GraphProto& body = Model::subgraph(loop, "body");
  Model::describe(*body.add_input(), "i", {}, ElementType::kInt64);
  Model::describe(*body.add_input(), "go", {}, ElementType::kBool);
  Model::describe(*body.add_input(), "v", {2});
  Model::add(*body.mutable_node(), "Identity", {"go"}, {"go_on"});
  Model::add(*body.mutable_node(), "Add", {"v", "v"}, {"twice"});
  body.add_output()->set_name("go_on");
  body.add_output()->set_name("twice");
  model.output("y");
  return model;
}

/// A call of mine.Leaky, which is LeakyRelu with alpha 0.5 unless the call says otherwise, or with overload
/// "neg" Neg.
Model leaky_call(const std::string& overload) {
  // Fields that ONNX 1.12's schema does not have: attribute_proto and overload of a function, overload of a
  // node.
  auto later = [](google::protobuf::Message& message, int number, const std::string& content) {
    message.GetReflection()->MutableUnknownFields(&message)->AddLengthDelimited(number, content);
  };
  Model model(13);
  onnx::OperatorSetIdProto& opset = *model.proto.add_opset_import();
  opset.set_domain("mine");
  opset.set_version(1);
  for (const char* of : {"", "neg"}) {
    onnx::FunctionProto& function = *model.proto.add_functions();
    function.set_domain("mine");
    function.set_name("Leaky");
    function.add_input("a");
    function.add_output("r");
    function.add_opset_import()->set_version(13);
    bool negates = *of != 0;
    onnx::NodeProto& node = Model::add(*function.mutable_node(), negates ? "Neg" : "LeakyRelu", {"a"}, {"r"});
    if (negates) {
      later(function, 13, of);
      continue;
    }
    onnx::AttributeProto& alpha = *node.add_attribute();
    alpha.set_name("alpha");
    alpha.set_ref_attr_name("slope");
    alpha.set_type(onnx::AttributeProto::FLOAT);
    onnx::AttributeProto slope;
    slope.set_name("slope");
    slope.set_type(onnx::AttributeProto::FLOAT);
    slope.set_f(0.5F);
    later(function, 11, slope.SerializeAsString());
  }
  model.input("x", {2});
  onnx::NodeProto& call = model.node("Leaky", {"x"}, {"y"});
  call.set_domain("mine");
  if (!overload.empty()) {
    later(call, 8, overload);
  }
  model.output("y");
  return model;
}

TEST(OnnxStructure, AttributesOfFunctionsHaveDefaults) {
  Model model = leaky_call("");
  expect(model, {floats({-4, 3})}, {-2, 3});
  Model::set(*model.proto.mutable_graph()->mutable_node(0), "slope", 0.25F);
  expect(model, {floats({-4, 3})}, {-1, 3});
}

TEST(OnnxStructure, FunctionsOfOneNameAreToldApartByTheirOverload) {
  expect(leaky_call("neg"), {floats({-4, 3})}, {4, -3});
  Model twice = leaky_call("");
  *twice.proto.add_functions() = twice.proto.functions(0);
  EXPECT_EQ(twice.message(), "m.onnx: function 'Leaky' is there twice");
}

TEST(OnnxStructure, NodesThatAreWrittenOutTwiceHaveNamesOfTheirOwn) {
  Result<Graph> graph = doubling(3).read();
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  std::set<std::string> names;
  for (const Node& node : graph->nodes) {
    EXPECT_TRUE(names.insert(node.name).second) << node.name;
  }
}

TEST(OnnxStructure, AFunctionThatCallsItselfIsAnError) {
  Model model(13);
  onnx::FunctionProto& function = *model.proto.add_functions();
  function.set_domain("mine");
  function.set_name("Again");
  function.add_input("a");
  function.add_output("r");
  Model::add(*function.mutable_node(), "Again", {"a"}, {"r"}).set_domain("mine");
  model.input("x", {2});
  model.node("Again", {"x"}, {"y"}).set_domain("mine");
  model.output("y");
  EXPECT_NE(model.message().find("nested deeper than"), std::string::npos) << model.message();
}

/// y = condition ? x + w : x - w
Model branches(bool constant) {
  Model model(13);
  model.input("x", {2});
  if (constant) {
    model.weight("condition", boolean(true));
  } else {
    model.input("condition", {}, ElementType::kBool);
  }
  model.weight("w", floats({1, 2}));
  onnx::NodeProto& choice = model.node("If", {"condition"}, {"y"});
  for (auto [name, op] : {std::pair{"then_branch", "Add"}, std::pair{"else_branch", "Sub"}}) {
    onnx::GraphProto& branch = Model::subgraph(choice, name);
    Model::add(*branch.mutable_node(), op, {"x", "w"}, {"result"});
    branch.add_output()->set_name("result");
  }
  model.output("y");
  return model;
}

TEST(OnnxStructure, AnIfWithAKnownConditionIsItsBranch) {
  expect(branches(true), {floats({5, 5})}, {6, 7});
  EXPECT_EQ(branches(false).message(),
            "m.onnx: If 'make_y': only conditions that do not depend on the inputs are supported");
}

TEST(OnnxStructure, ALoopOfKnownLengthIsWrittenOut) {
  expect(doubling(3), {floats({1, -2})}, {8, -16});
  expect(doubling(0), {floats({1, -2})}, {1, -2});
  EXPECT_EQ(doubling(std::nullopt).message(),
            "m.onnx: Loop 'make_y': only loops whose rounds do not depend on the inputs are supported");
  EXPECT_TRUE(doubling(10'000).read().ok());
  EXPECT_EQ(doubling(10'001).message(), "m.onnx: Loop 'make_y': it does not end within 10000 rounds");
  EXPECT_EQ(doubling(1'000'000'000).message(), "m.onnx: Loop 'make_y': it does not end within 10000 rounds");
}

// Otherwise a file of a megabyte asks for as many as its loops have rounds.
TEST(OnnxStructure, ALoopKeepsItsWeightsOnce) {
  Model model = doubling(3000);
  onnx::GraphProto& body = *model.proto.mutable_graph()->mutable_node(0)->mutable_attribute(0)->mutable_g();
  Tensor large(ElementType::kFloat32, {2, 1 << 18});
  tensor_to_proto(large, "initializer", *body.add_initializer());
  onnx::NodeProto& constant = Model::add(*body.mutable_node(), "Constant", {}, {"constant"});
  onnx::AttributeProto& attribute = *constant.add_attribute();
  attribute.set_name("value");
  attribute.set_type(onnx::AttributeProto::TENSOR);
  tensor_to_proto(large, "", *attribute.mutable_t());
  Result<Graph> graph = model.read();
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  std::set<const Tensor*> tensors;
  std::int64_t readers = 0;
  for (const Value& value : graph->values) {
    if (value.constant != nullptr && value.constant->size() == large.size()) {
      tensors.insert(value.constant.get());
      ++readers;
    }
  }
  EXPECT_EQ(tensors.size(), 2U);
  EXPECT_EQ(readers, 6000);
}

}  // namespace
}  // namespace zeropoint::toolchain
