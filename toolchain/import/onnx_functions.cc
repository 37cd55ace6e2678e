// Calls of the functions that a model brings along: their nodes are written out where the call stands.

#include <fmt/format.h>

#include "import/model_reader.h"
#include "import/onnx_order.h"

namespace zeropoint::toolchain {

const onnx::FunctionProto* ModelReader::function_of(const onnx::NodeProto& proto) const {
  auto found = functions_.find({proto.domain() == "ai.onnx" ? "" : proto.domain(), proto.op_type()});
  return found == functions_.end() ? nullptr : found->second;
}

Status ModelReader::read_call(const onnx::NodeProto& proto, const onnx::FunctionProto& function,
                              Scope& scope) {
  std::string label = describe(proto);
  if (proto.input_size() > function.input_size() || proto.output_size() > function.output_size()) {
    return Status::corrupt(fmt::format("{} has {} inputs and {} outputs, its function {} and {}", label,
                                       proto.input_size(), proto.output_size(), function.input_size(),
                                       function.output_size()));
  }
  Scope inner;
  inner.prefix = scope.prefix + (proto.name().empty() ? function.name() : proto.name()) + "/";
  inner.depth = scope.depth + 1;
  for (const onnx::OperatorSetIdProto& opset : function.opset_import()) {
    inner.opsets[opset.domain() == "ai.onnx" ? "" : opset.domain()] = opset.version();
  }
  for (int i = 0; i < function.input_size(); ++i) {
    Result<ValueId> id = i < proto.input_size() ? lookup(proto.input(i), scope) : Result<ValueId>(kNoValue);
    if (!id.ok()) {
      return Status::corrupt(label + " " + id.status().message());
    }
    inner.tensors[function.input(i)] = *id;
  }
  for (const onnx::AttributeProto& attribute : proto.attribute()) {
    const onnx::AttributeProto* given = &attribute;
    if (!attribute.ref_attr_name().empty()) {
      auto found = scope.attributes.find(attribute.ref_attr_name());
      if (found == scope.attributes.end()) {
        continue;
      }
      given = found->second;
    }
    inner.attributes[attribute.name()] = given;
  }
  ZP_RETURN_IF_ERROR(read_nodes(function.node(), inner));
  for (int i = 0; i < proto.output_size(); ++i) {
    const ValueId* made = inner.find(function.output(i));
    if (made == nullptr) {
      return Status::corrupt(fmt::format("{}: its function makes no '{}'", label, function.output(i)));
    }
    ZP_RETURN_IF_ERROR(give(proto, i, *made, scope));
  }
  return {};
}

}  // namespace zeropoint::toolchain
