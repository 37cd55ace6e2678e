#pragma once

#include <onnx/onnx_pb.h>

#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "import/graph_builder.h"
#include "import/onnx_scope.h"

namespace zeropoint::toolchain {

/// Turns a ModelProto into a graph: nodes in order and in the form of ops.inc, functions and subgraphs with
/// known conditions written out in place, weights as constants.
class ModelReader {
 public:
  /// `folder` is where external data lies. Takes the weights out of `model` as it reads them, so that they
  /// are in memory once.
  ModelReader(onnx::ModelProto& model, std::string folder);

  Result<Graph> run();

 private:
  /// A function that the model brings along.
  struct Function {
    const onnx::FunctionProto* proto;
    std::vector<onnx::AttributeProto> defaults;  ///< of its attributes
  };

  Status check_versions();
  Status read_input(const onnx::ValueInfoProto& proto, Scope& scope);
  Status read_initializer(const onnx::TensorProto& proto, std::shared_ptr<const Tensor> tensor, Scope& scope);
  Status read_nodes(const google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes, Scope& scope);
  /// For each node and each round of a loop: an error once there are too many.
  Status count_step();
  Status read_node(const onnx::NodeProto& proto, Scope& scope);
  Status read_operator(const onnx::NodeProto& proto, Scope& scope);
  Status read_constant(const onnx::NodeProto& proto, Scope& scope);
  Result<Attribute> read_attribute(const onnx::AttributeProto& proto);
  Result<Attributes> read_attributes(const onnx::NodeProto& proto, const Scope& scope);
  /// Of a node or a subgraph. One tensor however often loops and calls write it out.
  Result<std::shared_ptr<const Tensor>> shared_tensor(const onnx::TensorProto& proto);
  /// The tensor that a node of the scope reads under that name.
  Result<ValueId> lookup(const std::string& name, const Scope& scope) const;
  /// The nodes and initializers of a subgraph.
  Status read_subgraph(const onnx::GraphProto& graph, Scope& scope);

  // onnx_control_flow.cc
  Status read_if(const onnx::NodeProto& proto, Scope& scope);
  Status read_loop(const onnx::NodeProto& proto, Scope& scope);
  Status unroll(const onnx::NodeProto& proto, Scope& scope, std::int64_t trips, bool condition);
  Status finish_loop(const onnx::NodeProto& proto, Scope& scope, const std::vector<ValueId>& carried,
                     const std::vector<std::vector<ValueId>>& scanned);
  /// Names an output of `proto` that is the tensor `id`.
  Status give(const onnx::NodeProto& proto, int output, ValueId id, Scope& scope);

  // onnx_functions.cc
  Status read_functions();
  [[nodiscard]] const Function* function_of(const onnx::NodeProto& proto) const;
  Status read_call(const onnx::NodeProto& proto, const Function& function, Scope& scope);

  onnx::ModelProto& model_;
  std::string folder_;
  GraphBuilder builder_;
  /// By domain, name and overload.
  std::map<std::tuple<std::string, std::string, std::string>, Function> functions_;
  std::unordered_map<const onnx::TensorProto*, std::shared_ptr<const Tensor>> shared_tensors_;
  /// The order in which the nodes of each list run.
  std::unordered_map<const google::protobuf::RepeatedPtrField<onnx::NodeProto>*, std::vector<int>> orders_;
  std::size_t steps_ = 0;  // nodes that were read and rounds of loops
};

}  // namespace zeropoint::toolchain
