#include <onnx/onnx_pb.h>

#include <set>

#include "export/external_weights.h"
#include "export/model_form.h"
#include "import/onnx_tensor.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

/// One protobuf message, whatever it holds.
constexpr std::size_t kLargestMessage = (std::size_t{1} << 31) - 1;

/// The format of files that came with an opset: readers that know the one know the other. Older ones than 4
/// would want every weight listed as an input too.
std::int64_t ir_version_of(std::int64_t opset) {
  struct Release {
    std::int64_t opset;
    std::int64_t ir;
  };
  constexpr Release kReleases[] = {{10, 5},  {11, 6},  {12, 7},  {15, 8}, {19, 9},
                                   {21, 10}, {23, 11}, {24, 12}, {26, 13}};
  std::int64_t ir = 4;
  for (const Release& release : kReleases) {
    ir = opset >= release.opset ? release.ir : ir;
  }
  return ir;
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

void write_node(const Graph& graph, const OnnxNode& node, onnx::NodeProto& proto) {
  proto.set_name(node.name);
  proto.set_op_type(node.op);
  proto.set_domain(node.domain);
  for (ValueId input : node.inputs) {
    proto.add_input(input == kNoValue ? "" : graph.value(input).name);
  }
  for (ValueId output : node.outputs) {
    proto.add_output(output == kNoValue ? "" : graph.value(output).name);
  }
  for (const auto& [name, attribute] : node.attributes) {
    onnx::AttributeProto& out = *proto.add_attribute();
    out.set_name(name);
    std::visit(AttributeWriter{out}, attribute);
  }
}

void write_opsets(const ModelForm& form, onnx::ModelProto& model) {
  model.set_ir_version(ir_version_of(form.opset));
  model.add_opset_import()->set_version(form.opset);
  std::set<std::string> domains;
  for (const OnnxNode& node : form.nodes) {
    if (!node.domain.empty() && domains.insert(node.domain).second) {
      onnx::OperatorSetIdProto& opset = *model.add_opset_import();
      opset.set_domain(node.domain);
      opset.set_version(1);
    }
  }
}

/// `external` takes the weights that are to be in another file; nullptr where all are inside.
Result<onnx::ModelProto> to_proto(const ModelForm& form, ExternalWeights* external) {
  const Graph& graph = form.graph;
  onnx::ModelProto model;
  write_opsets(form, model);
  model.set_producer_name("zeropoint");
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
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    if (value.constant == nullptr || form.left_out[i]) {
      continue;
    }
    onnx::TensorProto& tensor = *proto.add_initializer();
    if (external != nullptr && external->takes(*value.constant)) {
      ZP_RETURN_IF_ERROR(external->add(*value.constant, value.name, tensor));
    } else {
      tensor_to_proto(*value.constant, value.name, tensor);
    }
  }
  for (const OnnxNode& node : form.nodes) {
    write_node(graph, node, *proto.add_node());
  }
  return model;
}

Result<std::string> serialized(const onnx::ModelProto& model) {
  std::string content;
  if (model.ByteSizeLong() > kLargestMessage || !model.SerializeToString(&content)) {
    return Status::resource_exhausted("a model above 2 GiB does not fit one ONNX file");
  }
  return content;
}

/// Whether the weights alone are about what one message may hold.
bool is_large(const ModelForm& form) {
  std::size_t bytes = 0;
  for (const Value& value : form.graph.values) {
    bytes +=
        value.constant == nullptr ? 0 : stored_bytes(value.constant->type(), value.constant->size()) + 64;
  }
  return bytes > kLargestMessage - (std::size_t{64} << 20);
}

}  // namespace

Result<std::string> to_onnx(const Graph& graph, std::optional<std::int64_t> opset) {
  ZP_RETURN_IF_ERROR(verify(graph));
  ZP_ASSIGN_OR_RETURN(ModelForm form, model_form(graph, opset));
  if (is_large(form)) {
    return Status::resource_exhausted("a model above 2 GiB does not fit one ONNX file");
  }
  ZP_ASSIGN_OR_RETURN(onnx::ModelProto model, to_proto(form, nullptr));
  return serialized(model);
}

namespace {

/// The data file is in place before the model that names it.
Status write_with_external(const ModelForm& form, const std::string& path) {
  ZP_ASSIGN_OR_RETURN(ExternalWeights external, ExternalWeights::create(path + ".data"));
  ZP_ASSIGN_OR_RETURN(onnx::ModelProto model, to_proto(form, &external));
  ZP_ASSIGN_OR_RETURN(std::string content, serialized(model));
  ZP_ASSIGN_OR_RETURN(NewFile file, NewFile::create(path));
  ZP_RETURN_IF_ERROR(file.write(std::as_bytes(std::span(content))));
  ZP_RETURN_IF_ERROR(external.commit());
  return file.commit();
}

}  // namespace

Status write_onnx(const Graph& graph, const std::string& path, const OnnxOptions& options) {
  ZP_RETURN_IF_ERROR(verify(graph).at(path));
  Result<ModelForm> form = model_form(graph, options.opset);
  ZP_RETURN_IF_ERROR(form.status().at(path));
  if (options.external_data || is_large(*form)) {
    return write_with_external(*form, path);
  }
  Result<onnx::ModelProto> model = to_proto(*form, nullptr);
  ZP_RETURN_IF_ERROR(model.status().at(path));
  Result<std::string> content = serialized(*model);
  return content.ok() ? write_file(path, *content) : content.status().at(path);
}

}  // namespace zeropoint::toolchain
