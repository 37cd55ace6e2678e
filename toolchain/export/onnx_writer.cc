#include <onnx/onnx_pb.h>

#include "import/onnx_tensor.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

/// A version of the operators, and the oldest format of files that may name it.
struct OnnxVersion {
  std::int64_t opset;
  std::int64_t ir;
};

/// The oldest that has what the graph uses: an axis on DequantizeLinear came with 13, saturate with 19,
/// blocks and 16-bit integers with 21.
OnnxVersion version_of(const Graph& graph) {
  OnnxVersion version{13, 7};
  for (const Node& node : graph.nodes) {
    if (node.op != Op::kQuantizeLinear && node.op != Op::kDequantizeLinear) {
      continue;
    }
    ElementType quantized =
        graph.value(node.op == Op::kQuantizeLinear ? node.outputs[0] : node.inputs[0]).type;
    bool wide = quantized == ElementType::kInt16 || quantized == ElementType::kUint16;
    if (wide || node.attributes.count("block_size") != 0) {
      return {21, 10};
    }
    if (node.attributes.count("saturate") != 0) {
      version = {19, 9};
    }
  }
  return version;
}

/// Writes the alternative that an Attribute holds into its proto.
struct AttributeWriter {
  onnx::AttributeProto& proto;

  void operator()(std::int64_t value) const {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(float value) const {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(value);
  }
  void operator()(const std::vector<std::int64_t>& values) const {
    proto.set_type(onnx::AttributeProto::INTS);
    proto.mutable_ints()->Add(values.begin(), values.end());
  }
  void operator()(const std::vector<float>& values) const {
    proto.set_type(onnx::AttributeProto::FLOATS);
    proto.mutable_floats()->Add(values.begin(), values.end());
  }
  void operator()(const std::vector<std::string>& values) const {
    proto.set_type(onnx::AttributeProto::STRINGS);
    for (const std::string& value : values) {
      proto.add_strings(value);
    }
  }
  void operator()(const std::shared_ptr<const Tensor>& value) const {
    proto.set_type(onnx::AttributeProto::TENSOR);
    tensor_to_proto(*value, "", *proto.mutable_t());
  }
};

void write_value_info(const Value& value, onnx::ValueInfoProto& proto) {
  proto.set_name(value.name);
  onnx::TypeProto::Tensor& type = *proto.mutable_type()->mutable_tensor_type();
  type.set_elem_type(static_cast<int>(value.type));
  if (value.dims) {
    onnx::TensorShapeProto& shape = *type.mutable_shape();
    for (const Dim& dim : *value.dims) {
      onnx::TensorShapeProto::Dimension& out = *shape.add_dim();
      if (dim.known()) {
        out.set_dim_value(dim.extent);
      } else if (!dim.symbol.empty()) {
        out.set_dim_param(dim.symbol);
      }
    }
  }
}

void write_node(const Graph& graph, const Node& node, onnx::NodeProto& proto) {
  const OpInfo& info = info_of(node.op);
  proto.set_name(node.name);
  proto.set_op_type(std::string(info.name));
  proto.set_domain(std::string(info.domain));
  for (ValueId input : node.inputs) {
    proto.add_input(input == kNoValue ? "" : graph.value(input).name);
  }
  for (ValueId output : node.outputs) {
    proto.add_output(graph.value(output).name);
  }
  for (const auto& [name, attribute] : node.attributes) {
    onnx::AttributeProto& out = *proto.add_attribute();
    out.set_name(name);
    std::visit(AttributeWriter{out}, attribute);
  }
}

onnx::ModelProto to_proto(const Graph& graph) {
  onnx::ModelProto model;
  OnnxVersion version = version_of(graph);
  model.set_ir_version(version.ir);
  model.set_producer_name("zeropoint");
  model.add_opset_import()->set_version(version.opset);
  for (const auto& [key, value] : graph.metadata) {
    onnx::StringStringEntryProto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  onnx::GraphProto& proto = *model.mutable_graph();
  proto.set_name(graph.name.empty() ? "graph" : graph.name);
  for (ValueId input : graph.inputs) {
    write_value_info(graph.value(input), *proto.add_input());
  }
  for (ValueId output : graph.outputs) {
    write_value_info(graph.value(output), *proto.add_output());
  }
  for (const Value& value : graph.values) {
    if (value.constant != nullptr) {
      tensor_to_proto(*value.constant, value.name, *proto.add_initializer());
    }
  }
  for (const Node& node : graph.nodes) {
    write_node(graph, node, *proto.add_node());
  }
  return model;
}

}  // namespace

Result<std::string> to_onnx(const Graph& graph) {
  ZP_RETURN_IF_ERROR(verify(graph));
  onnx::ModelProto model = to_proto(graph);
  std::string content;
  if (model.ByteSizeLong() >= (std::size_t{1} << 31) || !model.SerializeToString(&content)) {
    return Status::resource_exhausted("a model above 2 GiB does not fit one ONNX file");
  }
  return content;
}

Status write_onnx(const Graph& graph, const std::string& path) {
  Result<std::string> content = to_onnx(graph);
  return content.ok() ? write_file(path, *content) : content.status().at(path);
}

}  // namespace zeropoint::toolchain
