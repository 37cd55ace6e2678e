#include "import/model_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "import/onnx_order.h"
#include "import/onnx_tensor.h"
#include "import/onnx_upgrades.h"
#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::int64_t kOldestOpset = 1;
constexpr std::int64_t kOldestIr = 3;
// Functions and loops that are written out multiply; a file of a few bytes must not become a graph without
// end. Of nodes and rounds of loops together:
constexpr std::size_t kMostSteps = 200'000;
constexpr int kDeepestNesting = 64;
// Of prefixes, which stand before every name of a function or subgraph, and of symbols, which stand in every
// shape.
constexpr std::size_t kLongestName = 4096;

bool has_control_flow(const onnx::ModelProto& model) {
  auto in = [](const auto& nodes) {
    return std::any_of(nodes.begin(), nodes.end(), [](const onnx::NodeProto& node) {
      return node.op_type() == "If" || node.op_type() == "Loop";
    });
  };
  return in(model.graph().node()) ||
         std::any_of(model.functions().begin(), model.functions().end(),
                     [&](const onnx::FunctionProto& function) { return in(function.node()); });
}

}  // namespace

ModelReader::ModelReader(onnx::ModelProto& model, std::string folder)
    : model_(model), folder_(std::move(folder)), builder_(has_control_flow(model)) {}

Result<Graph> ModelReader::run() {
  ZP_RETURN_IF_ERROR(check_versions());
  ZP_RETURN_IF_ERROR(read_functions());
  Scope scope;
  for (const onnx::OperatorSetIdProto& opset : model_.opset_import()) {
    scope.opsets[domain_of(opset.domain())] = opset.version();
  }
  onnx::GraphProto& proto = *model_.mutable_graph();
  Graph& graph = builder_.graph();
  graph.name = proto.name();
  for (const onnx::StringStringEntryProto& entry : model_.metadata_props()) {
    graph.metadata[entry.key()] = entry.value();
  }
  if (proto.sparse_initializer_size() > 0) {
    return Status::unsupported("sparse weights are not supported");
  }
  for (onnx::TensorProto& initializer : *proto.mutable_initializer()) {
    Result<Tensor> tensor = tensor_from_proto(initializer, folder_);
    ZP_RETURN_IF_ERROR(tensor.status().at(fmt::format("tensor '{}'", initializer.name())));
    ZP_RETURN_IF_ERROR(
        read_initializer(initializer, std::make_shared<const Tensor>(*std::move(tensor)), scope));
    onnx::TensorProto().Swap(&initializer);
  }
  for (const onnx::ValueInfoProto& input : proto.input()) {
    ZP_RETURN_IF_ERROR(read_input(input, scope));
  }
  ZP_RETURN_IF_ERROR(read_nodes(proto.node(), scope));
  for (const onnx::ValueInfoProto& output : proto.output()) {
    const ValueId* found = scope.find(output.name());
    if (found == nullptr) {
      return Status::corrupt(fmt::format("no node makes output '{}'", output.name()));
    }
    graph.outputs.push_back(*found);
  }
  if (graph.outputs.empty()) {
    return Status::corrupt("the model has no outputs");
  }
  number_repeated_names(graph);  // of what was written out more than once
  ZP_RETURN_IF_ERROR(verify(graph));
  return std::move(graph);
}

Status ModelReader::check_versions() {
  if (model_.has_ir_version() && model_.ir_version() < kOldestIr) {
    return Status::unsupported(fmt::format("IR version {} is older than {}, the oldest that is read",
                                           model_.ir_version(), kOldestIr));
  }
  for (const onnx::OperatorSetIdProto& opset : model_.opset_import()) {
    if (domain_of(opset.domain()).empty()) {
      return opset.version() >= kOldestOpset
                 ? Status()
                 : Status::unsupported(fmt::format("opset {} is older than {}, the oldest that is read",
                                                   opset.version(), kOldestOpset));
    }
  }
  // Operators of other domains alone need no opset of ONNX's.
  return model_.opset_import_size() > 0 ? Status() : Status::corrupt("the model names no opset");
}

Status ModelReader::read_initializer(const onnx::TensorProto& proto, std::shared_ptr<const Tensor> tensor,
                                     Scope& scope) {
  if (proto.name().empty() || scope.tensors.count(proto.name()) != 0) {
    return Status::corrupt(fmt::format("tensor '{}' is given twice, or has no name", proto.name()));
  }
  scope.tensors[proto.name()] = builder_.add_constant(scope.prefix + proto.name(), std::move(tensor));
  return {};
}

Result<std::shared_ptr<const Tensor>> ModelReader::shared_tensor(const onnx::TensorProto& proto) {
  std::shared_ptr<const Tensor>& shared = shared_tensors_[&proto];
  if (shared == nullptr) {
    ZP_ASSIGN_OR_RETURN(Tensor tensor, tensor_from_proto(proto, folder_));
    shared = std::make_shared<const Tensor>(std::move(tensor));
  }
  return shared;
}

Status ModelReader::read_input(const onnx::ValueInfoProto& proto, Scope& scope) {
  if (scope.tensors.count(proto.name()) != 0) {
    return {};  // an initializer that is also listed as an input: its value is the default, and stays
  }
  if (proto.name().empty()) {
    return Status::corrupt("an input has no name");
  }
  if (!proto.type().has_tensor_type()) {
    return Status::unsupported(fmt::format("input '{}' is no tensor", proto.name()));
  }
  const onnx::TypeProto::Tensor& type = proto.type().tensor_type();
  if (!is_element_type(type.elem_type())) {
    return Status::unsupported(
        fmt::format("input '{}': element type {} is not supported", proto.name(), type.elem_type()));
  }
  std::optional<Dims> dims;
  if (type.has_shape()) {
    dims.emplace();
    for (const onnx::TensorShapeProto::Dimension& dim : type.shape().dim()) {
      if (dim.has_dim_value() && dim.dim_value() < -1) {
        return Status::corrupt(
            fmt::format("input '{}': extent {} is negative", proto.name(), dim.dim_value()));
      }
      if (dim.has_dim_value() && dim.dim_value() >= 0) {
        dims->emplace_back(dim.dim_value());
      } else {
        dims->emplace_back(dim.dim_param());
      }
      if (dims->back().symbol.size() > kLongestName || std::ssize(*dims) > kLargestRank) {
        return Status::unsupported(
            fmt::format("input '{}': at most {} axes, of symbols of at most {} bytes, are supported",
                        proto.name(), kLargestRank, kLongestName));
      }
    }
    if (std::all_of(dims->begin(), dims->end(), [](const Dim& dim) { return dim.known(); })) {
      ZP_RETURN_IF_ERROR(
          element_count(shape_of(*dims, 1)).status().at(fmt::format("input '{}'", proto.name())));
    }
  }
  scope.tensors[proto.name()] =
      builder_.add_input(proto.name(), static_cast<ElementType>(type.elem_type()), std::move(dims));
  return {};
}

Status ModelReader::read_nodes(const google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes,
                               Scope& scope) {
  if (scope.depth > kDeepestNesting) {
    return Status::unsupported(
        fmt::format("subgraphs and functions are nested deeper than {}", kDeepestNesting));
  }
  if (scope.prefix.size() > kLongestName) {
    return Status::unsupported(fmt::format(
        "the names of the subgraphs and functions around a node are longer than {} bytes together",
        kLongestName));
  }
  builder_.charge(kBytesPerName * (scope.opsets.size() + scope.attributes.size() + scope.tensors.size()));
  auto [order, is_new] = orders_.try_emplace(&nodes);
  if (is_new) {
    ZP_ASSIGN_OR_RETURN(order->second, order_of(nodes));
  }
  for (int i : order->second) {
    ZP_RETURN_IF_ERROR(count_step());
    ZP_RETURN_IF_ERROR(read_node(nodes[i], scope));
  }
  return {};
}

Status ModelReader::count_step() {
  if (++steps_ > kMostSteps) {
    return Status::resource_exhausted(
        fmt::format("with functions and loops written out it has more than {} nodes and rounds", kMostSteps));
  }
  return builder_.check_size();
}

Status ModelReader::read_subgraph(const onnx::GraphProto& graph, Scope& scope) {
  for (const onnx::TensorProto& initializer : graph.initializer()) {
    Result<std::shared_ptr<const Tensor>> tensor = shared_tensor(initializer);
    ZP_RETURN_IF_ERROR(tensor.status().at(fmt::format("tensor '{}'", initializer.name())));
    ZP_RETURN_IF_ERROR(read_initializer(initializer, *std::move(tensor), scope));
  }
  return read_nodes(graph.node(), scope);
}

Status ModelReader::read_node(const onnx::NodeProto& proto, Scope& scope) {
  if (const Function* function = function_of(proto)) {
    return read_call(proto, *function, scope);
  }
  if (domain_of(proto.domain()).empty()) {
    if (proto.op_type() == "If") {
      return read_if(proto, scope);
    }
    if (proto.op_type() == "Loop") {
      return read_loop(proto, scope);
    }
    if (proto.op_type() == "Constant") {
      return read_constant(proto, scope);
    }
  }
  return read_operator(proto, scope);
}

Result<ValueId> ModelReader::lookup(const std::string& name, const Scope& scope) const {
  if (name.empty()) {
    return kNoValue;
  }
  const ValueId* found = scope.find(name);
  if (found == nullptr) {
    return Status::corrupt(fmt::format("reads tensor '{}', which nothing makes", name));
  }
  return *found;
}

Status ModelReader::read_operator(const onnx::NodeProto& proto, Scope& scope) {
  OnnxNode node{proto.op_type(), domain_of(proto.domain()), "", {}, {}, {}, 0};
  node.name =
      scope.prefix + (proto.name().empty() && proto.output_size() > 0 ? proto.output(0) : proto.name());
  std::string label = fmt::format("{} '{}'", node.op, node.name);
  auto opset = scope.opsets.find(node.domain);
  if (opset == scope.opsets.end() && (node.domain.empty() || !find_op(node.op, node.domain))) {
    return Status::corrupt(fmt::format("{}: the model names no opset of its domain '{}'", label,
                                       node.domain.empty() ? "ai.onnx" : node.domain));
  }
  node.opset = opset == scope.opsets.end() ? 1 : opset->second;
  for (const std::string& input : proto.input()) {
    Result<ValueId> id = lookup(input, scope);
    if (!id.ok()) {
      return Status::corrupt(label + " " + id.status().message());
    }
    node.inputs.push_back(*id);
  }
  Result<Attributes> attributes = read_attributes(proto, scope);
  ZP_RETURN_IF_ERROR(attributes.status().at(label));
  node.attributes = *std::move(attributes);
  for (const std::string& output : proto.output()) {
    if (scope.tensors.count(output) != 0) {
      return Status::corrupt(fmt::format("{} makes tensor '{}' a second time", label, output));
    }
    node.outputs.push_back(output.empty() ? kNoValue : builder_.add_value(scope.prefix + output));
  }
  ZP_RETURN_IF_ERROR(upgrade(node, builder_));
  std::optional<Op> op = find_op(node.op, node.domain);
  if (!op) {
    std::string guess = nearest_operator(node.op, node.domain);
    return Status::unsupported(fmt::format("node '{}': operator {}{}{} is not supported{}", node.name,
                                           node.domain, node.domain.empty() ? "" : ".", node.op,
                                           guess.empty() ? "" : "; did you mean " + guess + "?"));
  }
  for (int i = 0; i < proto.output_size() && i < static_cast<int>(node.outputs.size()); ++i) {
    if (!proto.output(i).empty()) {
      scope.tensors[proto.output(i)] = node.outputs[static_cast<std::size_t>(i)];
    }
  }
  return builder_.add_node(
      {*op, node.name, std::move(node.inputs), std::move(node.outputs), std::move(node.attributes)});
}

/// Becomes a constant of the graph, as an initializer does.
Status ModelReader::read_constant(const onnx::NodeProto& proto, Scope& scope) {
  std::string label = describe(proto);
  Result<Attributes> attributes = read_attributes(proto, scope);
  ZP_RETURN_IF_ERROR(attributes.status().at(label));
  if (proto.output_size() != 1 || proto.output(0).empty() || attributes->size() != 1) {
    return Status::corrupt(label + " needs one output and one value of a kind that is supported");
  }
  if (!scope.tensors.try_emplace(proto.output(0), kNoValue).second) {
    return Status::corrupt(fmt::format("{} makes tensor '{}' a second time", label, proto.output(0)));
  }
  ValueId& constant = scope.tensors[proto.output(0)];
  std::string name = scope.prefix + proto.output(0);
  const auto* held = std::get_if<std::shared_ptr<const Tensor>>(&attributes->begin()->second);
  if (held != nullptr && attributes->begin()->first == "value") {
    constant = builder_.add_constant(name, *held);
    return {};
  }
  Result<std::vector<Tensor>> outputs = evaluate(OperatorCall(Op::kConstant, *attributes, {}));
  ZP_RETURN_IF_ERROR(outputs.status().at(label));
  constant = builder_.add_constant(name, std::move((*outputs)[0]));
  return {};
}

Result<Attributes> ModelReader::read_attributes(const onnx::NodeProto& proto, const Scope& scope) {
  Attributes attributes;
  for (const onnx::AttributeProto& own : proto.attribute()) {
    const onnx::AttributeProto* attribute = &own;
    if (!own.ref_attr_name().empty()) {
      auto found = scope.attributes.find(own.ref_attr_name());
      if (found == scope.attributes.end()) {
        continue;  // the call leaves it at its default
      }
      attribute = found->second;
    }
    ZP_ASSIGN_OR_RETURN(attributes[own.name()], read_attribute(*attribute));
  }
  return attributes;
}

Result<Attribute> ModelReader::read_attribute(const onnx::AttributeProto& proto) {
  switch (proto.type()) {
    case onnx::AttributeProto::INT:
      return Attribute(std::int64_t{proto.i()});
    case onnx::AttributeProto::FLOAT:
      return Attribute(proto.f());
    case onnx::AttributeProto::STRING:
      return Attribute(proto.s());
    case onnx::AttributeProto::INTS:
      return Attribute(std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end()));
    case onnx::AttributeProto::FLOATS:
      return Attribute(std::vector<float>(proto.floats().begin(), proto.floats().end()));
    case onnx::AttributeProto::STRINGS:
      return Attribute(std::vector<std::string>(proto.strings().begin(), proto.strings().end()));
    case onnx::AttributeProto::TENSOR: {
      Result<std::shared_ptr<const Tensor>> tensor = shared_tensor(proto.t());
      ZP_RETURN_IF_ERROR(tensor.status().at(fmt::format("attribute '{}'", proto.name())));
      return Attribute(*std::move(tensor));
    }
    default:
      return Status::unsupported(
          fmt::format("attribute '{}' holds a graph or another kind that is not supported", proto.name()));
  }
}

}  // namespace zeropoint::toolchain
