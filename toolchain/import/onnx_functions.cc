// Calls of the functions that a model brings along: their nodes are written out where the call stands.

#include <fmt/format.h>

#include "import/later_fields.h"
#include "import/model_reader.h"
#include "import/onnx_order.h"

namespace zeropoint::toolchain {

namespace {

// Of FunctionProto and NodeProto since IR version 9 and 10; older schemas do not have them.
constexpr int kAttributeDefaults = 11;
constexpr int kFunctionOverload = 13;
constexpr int kNodeOverload = 8;

std::string overload_of(const google::protobuf::Message& message, int field) {
  std::vector<std::string> overload = later_field(message, field);
  return overload.empty() ? "" : std::move(overload.back());
}

}  // namespace

Status ModelReader::read_functions() {
  for (const onnx::FunctionProto& proto : model_.functions()) {
    Function function{&proto, {}};
    for (const std::string& content : later_field(proto, kAttributeDefaults)) {
      if (!function.defaults.emplace_back().ParseFromString(content)) {
        return Status::corrupt(
            fmt::format("function '{}': the default of an attribute is damaged", proto.name()));
      }
    }
    auto key = std::tuple(domain_of(proto.domain()), proto.name(), overload_of(proto, kFunctionOverload));
    if (!functions_.try_emplace(std::move(key), std::move(function)).second) {
      return Status::corrupt(fmt::format("function '{}' is there twice", proto.name()));
    }
  }
  return {};
}

const ModelReader::Function* ModelReader::function_of(const onnx::NodeProto& proto) const {
  if (functions_.empty()) {
    return nullptr;
  }
  auto found =
      functions_.find({domain_of(proto.domain()), proto.op_type(), overload_of(proto, kNodeOverload)});
  return found == functions_.end() ? nullptr : &found->second;
}

Status ModelReader::read_call(const onnx::NodeProto& proto, const Function& called, Scope& scope) {
  const onnx::FunctionProto& function = *called.proto;
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
    inner.opsets[domain_of(opset.domain())] = opset.version();
  }
  for (int i = 0; i < function.input_size(); ++i) {
    Result<ValueId> id = i < proto.input_size() ? lookup(proto.input(i), scope) : Result<ValueId>(kNoValue);
    if (!id.ok()) {
      return Status::corrupt(label + " " + id.status().message());
    }
    inner.tensors[function.input(i)] = *id;
  }
  for (const onnx::AttributeProto& attribute : called.defaults) {
    inner.attributes[attribute.name()] = &attribute;
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
