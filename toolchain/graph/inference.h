#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// An element of an integer tensor before the graph runs: a number, or a symbol where it is an extent known
/// only then ("" for one without a name).
using SymbolicInt = std::variant<std::int64_t, std::string>;

/// The elements of a tensor of integers that shapes are computed from; nullptr where they are not known.
/// Tensors with the same elements share them.
using Elements = std::shared_ptr<const std::vector<SymbolicInt>>;

/// Tensors of more elements than this are no shapes.
inline constexpr std::int64_t kMostElements = 1024;

/// Tensors of more axes than this are none that a network has.
inline constexpr std::int64_t kLargestRank = 64;

Dim dim_of(const SymbolicInt& element);
SymbolicInt element_of(const Dim& dim);

/// What a shape rule sees of its node, and where it puts its answer.
class InferenceContext {
 public:
  InferenceContext(const Graph& graph, const Node& node, const std::vector<Elements>& elements)
      : graph_(graph), node_(node), elements_(elements), outputs_(node.outputs.size()) {}

  [[nodiscard]] const Node& node() const { return node_; }
  [[nodiscard]] std::size_t input_count() const { return node_.inputs.size(); }
  [[nodiscard]] std::size_t output_count() const { return node_.outputs.size(); }
  [[nodiscard]] bool has(std::size_t i) const { return node_.has_input(i); }
  /// Of an input that is there.
  [[nodiscard]] const Value& value(std::size_t i) const { return graph_.value(node_.inputs[i]); }
  [[nodiscard]] ElementType type(std::size_t i) const { return value(i).type; }
  /// None where they are not known.
  [[nodiscard]] const std::optional<Dims>& dims(std::size_t i) const { return value(i).dims; }
  /// The constant behind an input; nullptr where it is absent or computed.
  [[nodiscard]] const Tensor* constant(std::size_t i) const { return graph_.constant(node_, i); }
  /// What is known of the elements of an int64 or int32 input of rank 0 or 1.
  [[nodiscard]] const Elements& elements(std::size_t i) const;
  /// The same where all of them are numbers.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> ints(std::size_t i) const;

  /// The answer. A rule gives each output its type first, and dims where it can tell them. Outputs that the
  /// node does not have are ignored, and so are elements of an output that is not known to be a scalar or a
  /// list of that many.
  void set_type(std::size_t output, ElementType type);
  void set_dims(std::size_t output, Dims dims);
  void set_elements(std::size_t output, std::vector<SymbolicInt> elements);
  /// Output 0 has the elements of input 0, as far as they are known.
  void copy_elements() { outputs_[0].elements = elements(0); }
  void set(std::size_t output, ElementType type, Dims dims) {
    set_type(output, type);
    set_dims(output, std::move(dims));
  }

  struct Answer {
    ElementType type = ElementType::kFloat32;
    std::optional<Dims> dims;
    Elements elements;
  };
  [[nodiscard]] std::vector<Answer>& outputs() { return outputs_; }

 private:
  const Graph& graph_;
  const Node& node_;
  const std::vector<Elements>& elements_;
  std::vector<Answer> outputs_;
};

/// What is known of the elements of a constant.
Elements elements_of(const Tensor& tensor);

/// The tensor of the elements of an int64 value, where all of them are numbers.
std::optional<Tensor> tensor_of(const Elements& elements, const Value& value);

/// Infers the outputs of one node; `elements` has an entry per value of the graph. The node's form must be
/// verified.
Status infer_node(Graph& graph, const Node& node, std::vector<Elements>& elements);

/// infer_shapes(), telling also which integer tensors are known, per value that a node makes or reads.
Result<std::vector<Elements>> infer_shapes_and_elements(Graph& graph);

}  // namespace zeropoint::toolchain
