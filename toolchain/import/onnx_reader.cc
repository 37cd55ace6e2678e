#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>
#include <onnx/onnx_pb.h>
#if GOOGLE_PROTOBUF_VERSION < 4022000
#include <google/protobuf/stubs/logging.h>
#endif

#include <limits>
#include <map>
#include <new>

#include "import/onnx_tensor.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

// What is wrong with a model is for the caller to show, not for protobuf's log. Protobuf 22 took the class
// away.
#if GOOGLE_PROTOBUF_VERSION < 4022000
using Silence = google::protobuf::LogSilencer;
#else
struct Silence {
  ~Silence() {}
};
#endif

class Reader {
 public:
  explicit Reader(const onnx::ModelProto& model) : model_(model) {}

  Result<Graph> run() {
    ZP_RETURN_IF_ERROR(check_opset());
    const onnx::GraphProto& proto = model_.graph();
    graph_.name = proto.name();
    for (const onnx::StringStringEntryProto& entry : model_.metadata_props()) {
      graph_.metadata[entry.key()] = entry.value();
    }
    for (const onnx::TensorProto& initializer : proto.initializer()) {
      ZP_RETURN_IF_ERROR(read_initializer(initializer));
    }
    for (const onnx::ValueInfoProto& input : proto.input()) {
      ZP_RETURN_IF_ERROR(read_input(input));
    }
    for (const onnx::NodeProto& node : proto.node()) {
      ZP_RETURN_IF_ERROR(read_node(node));
    }
    for (const onnx::ValueInfoProto& output : proto.output()) {
      auto found = ids_.find(output.name());
      if (found == ids_.end()) {
        return Status::corrupt(fmt::format("no node makes output '{}'", output.name()));
      }
      graph_.outputs.push_back(found->second);
    }
    if (graph_.outputs.empty()) {
      return Status::corrupt("the model has no outputs");
    }
    ZP_RETURN_IF_ERROR(verify(graph_));
    ZP_RETURN_IF_ERROR(infer_shapes(graph_));
    return std::move(graph_);
  }

 private:
  [[nodiscard]] Status check_opset() const {
    for (const onnx::OperatorSetIdProto& opset : model_.opset_import()) {
      if (opset.domain().empty() || opset.domain() == "ai.onnx") {
        return opset.version() >= 13
                   ? Status()
                   : Status::unsupported(
                         fmt::format("opset {} is older than 13, the oldest that is read", opset.version()));
      }
    }
    return Status::corrupt("the model names no ONNX opset");
  }

  Status read_initializer(const onnx::TensorProto& proto) {
    Result<Tensor> tensor = tensor_from_proto(proto);
    ZP_RETURN_IF_ERROR(tensor.status().at(fmt::format("tensor '{}'", proto.name())));
    ids_[proto.name()] = graph_.add_constant(proto.name(), *std::move(tensor));
    return {};
  }

  Status read_input(const onnx::ValueInfoProto& proto) {
    if (ids_.count(proto.name()) != 0) {
      return {};  // an initializer that is also listed as an input: its value is the default, and stays
    }
    const onnx::TypeProto::Tensor& type = proto.type().tensor_type();
    if (!proto.type().has_tensor_type() || !type.has_shape()) {
      return Status::unsupported(fmt::format("input '{}' is not a tensor of known rank", proto.name()));
    }
    if (!is_element_type(type.elem_type())) {
      return Status::unsupported(
          fmt::format("input '{}': element type {} is not supported", proto.name(), type.elem_type()));
    }
    Dims dims;
    for (const onnx::TensorShapeProto::Dimension& dim : type.shape().dim()) {
      if (dim.has_dim_value() && dim.dim_value() >= 0) {
        dims.emplace_back(dim.dim_value());
      } else {
        dims.emplace_back(dim.dim_param());
      }
    }
    ids_[proto.name()] =
        graph_.add_input(proto.name(), static_cast<ElementType>(type.elem_type()), std::move(dims));
    return {};
  }

  Status read_node(const onnx::NodeProto& proto) {
    std::optional<Op> op = find_op(proto.op_type(), proto.domain() == "ai.onnx" ? "" : proto.domain());
    if (!op) {
      return Status::unsupported(fmt::format("node '{}': operator {}{}{} is not supported", proto.name(),
                                             proto.domain(), proto.domain().empty() ? "" : ".",
                                             proto.op_type()));
    }
    Node node{
        *op, proto.name().empty() && proto.output_size() > 0 ? proto.output(0) : proto.name(), {}, {}, {}};
    for (const std::string& input : proto.input()) {
      if (input.empty()) {
        node.inputs.push_back(kNoValue);
        continue;
      }
      auto found = ids_.find(input);
      if (found == ids_.end()) {
        return Status::corrupt(
            fmt::format("{} reads tensor '{}', which nothing before it makes", describe(node), input));
      }
      node.inputs.push_back(found->second);
    }
    for (const std::string& output : proto.output()) {
      ValueId id = graph_.add_value(output);
      ids_[output] = id;
      node.outputs.push_back(id);
    }
    for (const onnx::AttributeProto& attribute : proto.attribute()) {
      ZP_RETURN_IF_ERROR(read_attribute(attribute, node));
    }
    graph_.nodes.push_back(std::move(node));
    return {};
  }

  static Status read_attribute(const onnx::AttributeProto& proto, Node& node) {
    Attribute& attribute = node.attributes[proto.name()];
    switch (proto.type()) {
      case onnx::AttributeProto::INT:
        attribute = std::int64_t{proto.i()};
        return {};
      case onnx::AttributeProto::FLOAT:
        attribute = proto.f();
        return {};
      case onnx::AttributeProto::STRING:
        attribute = proto.s();
        return {};
      case onnx::AttributeProto::INTS:
        attribute = std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
        return {};
      case onnx::AttributeProto::FLOATS:
        attribute = std::vector<float>(proto.floats().begin(), proto.floats().end());
        return {};
      case onnx::AttributeProto::STRINGS:
        attribute = std::vector<std::string>(proto.strings().begin(), proto.strings().end());
        return {};
      case onnx::AttributeProto::TENSOR: {
        Result<Tensor> tensor = tensor_from_proto(proto.t());
        ZP_RETURN_IF_ERROR(
            tensor.status().at(fmt::format("{}: attribute '{}'", describe(node), proto.name())));
        attribute = std::make_shared<const Tensor>(*std::move(tensor));
        return {};
      }
      default:
        return Status::unsupported(
            fmt::format("{}: attribute '{}' holds a graph or another kind that is not supported",
                        describe(node), proto.name()));
    }
  }

  const onnx::ModelProto& model_;
  Graph graph_;
  std::map<std::string, ValueId, std::less<>> ids_;
};

}  // namespace

Result<Graph> read_onnx(std::span<const std::byte> content, const std::string& name) {
  try {
    Silence silence;
    onnx::ModelProto model;
    if (content.size() > std::numeric_limits<int>::max() ||
        !model.ParseFromArray(content.data(), static_cast<int>(content.size())) || !model.has_graph()) {
      return Status::corrupt(name + ": not an ONNX model");
    }
    Result<Graph> graph = Reader(model).run();
    return graph.ok() ? std::move(graph) : Result<Graph>(graph.status().at(name));
  } catch (const std::bad_alloc&) {
    return Status::resource_exhausted(name + ": not enough memory to read the model");
  }
}

Result<Graph> read_onnx(const std::string& path) {
  ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, read_file(path));
  return read_onnx(content, path);
}

}  // namespace zeropoint::toolchain
