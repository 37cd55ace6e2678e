#pragma once

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "import/onnx_tensor.h"
#include "zeropoint/toolchain/float_executor.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {

/// Writes an ONNX model message by message, so that tests can hold what the project's own writer never
/// writes.
class OnnxModelForTest {
 public:
  explicit OnnxModelForTest(std::int64_t opset) {
    proto.set_ir_version(8);
    proto.add_opset_import()->set_version(opset);
    proto.mutable_graph()->set_name("test");
  }

  onnx::ValueInfoProto& input(const std::string& name, const std::vector<std::int64_t>& shape,
                              ElementType type = ElementType::kFloat32) {
    onnx::ValueInfoProto& value = *proto.mutable_graph()->add_input();
    describe(value, name, shape, type);
    return value;
  }
  void output(const std::string& name) { proto.mutable_graph()->add_output()->set_name(name); }
  onnx::TensorProto& weight(const std::string& name, const Tensor& tensor) {
    onnx::TensorProto& weight = *proto.mutable_graph()->add_initializer();
    tensor_to_proto(tensor, name, weight);
    return weight;
  }
  onnx::NodeProto& node(const std::string& op, std::initializer_list<const char*> inputs,
                        std::initializer_list<const char*> outputs) {
    return add(*proto.mutable_graph()->mutable_node(), op, inputs, outputs);
  }
  /// The same in a subgraph or function.
  template <typename Nodes>
  static onnx::NodeProto& add(Nodes& nodes, const std::string& op, std::initializer_list<const char*> inputs,
                              std::initializer_list<const char*> outputs) {
    onnx::NodeProto& node = *nodes.Add();
    node.set_op_type(op);
    for (const char* input : inputs) {
      node.add_input(input);
    }
    for (const char* output : outputs) {
      node.add_output(output);
    }
    if (outputs.size() > 0) {
      node.set_name(std::string("make_") + *outputs.begin());
    }
    return node;
  }

  static void describe(onnx::ValueInfoProto& value, const std::string& name,
                       const std::vector<std::int64_t>& shape, ElementType type = ElementType::kFloat32) {
    value.set_name(name);
    onnx::TypeProto::Tensor& tensor = *value.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(static_cast<int>(type));
    tensor.mutable_shape();
    for (std::int64_t extent : shape) {
      tensor.mutable_shape()->add_dim()->set_dim_value(extent);
    }
  }
  static void set(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value);
  }
  static void set(onnx::NodeProto& node, const std::string& name, float value) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::FLOAT);
    attribute.set_f(value);
  }
  static void set(onnx::NodeProto& node, const std::string& name, const std::string& value) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::STRING);
    attribute.set_s(value);
  }
  static void set(onnx::NodeProto& node, const std::string& name, const std::vector<float>& values) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::FLOATS);
    attribute.mutable_floats()->Add(values.begin(), values.end());
  }
  static void set(onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INTS);
    attribute.mutable_ints()->Add(values.begin(), values.end());
  }
  static onnx::GraphProto& subgraph(onnx::NodeProto& node, const std::string& name) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::GRAPH);
    return *attribute.mutable_g();
  }

  [[nodiscard]] Result<Graph> read() const {
    std::string content = proto.SerializeAsString();
    return read_onnx(std::as_bytes(std::span(content)), "m.onnx");
  }
  [[nodiscard]] std::string message() const { return read().status().message(); }
  /// The outputs for the inputs.
  [[nodiscard]] std::vector<Tensor> run(const std::vector<Tensor>& inputs) const {
    Result<Graph> graph = read();
    EXPECT_TRUE(graph.ok()) << graph.status().message();
    Result<FloatExecutor> executor = graph.ok() ? FloatExecutor::create(*graph) : graph.status();
    EXPECT_TRUE(executor.ok()) << executor.status().message();
    Result<std::vector<Tensor>> outputs = executor.ok() ? executor->run(inputs) : executor.status();
    EXPECT_TRUE(outputs.ok()) << outputs.status().message();
    return outputs.ok() ? *outputs : std::vector<Tensor>{};
  }

  onnx::ModelProto proto;
};

}  // namespace zeropoint::toolchain
