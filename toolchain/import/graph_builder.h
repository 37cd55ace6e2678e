#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "graph/inference.h"

namespace zeropoint::toolchain {

/// How large a graph may become beside its weights: its nodes, names, shapes, attributes, and what writing
/// out functions and loops takes on the way. A file of a few bytes must not become a graph without end.
inline constexpr std::size_t kMostGraphBytes = std::size_t{512} << 20;

/// Builds a graph node by node; each is verified, and its outputs' types and dims inferred, as it comes.
class GraphBuilder {
 public:
  /// With `evaluate_constants` small tensors that follow from constants alone are computed as they come.
  explicit GraphBuilder(bool evaluate_constants) : evaluate_constants_(evaluate_constants) {}

  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] Graph& graph() { return graph_; }
  [[nodiscard]] const Value& value(ValueId id) const { return graph_.value(id); }
  /// Of an input of a node that is being read; none where they are not known or, kNoValue, it is not there.
  [[nodiscard]] const std::optional<Dims>& dims(ValueId id) const {
    static const std::optional<Dims> kNone;
    return id == kNoValue ? kNone : graph_.value(id).dims;
  }

  /// `name`, or where a tensor has that name already, one like it.
  std::string unused(const std::string& name);

  /// The name must be unused.
  ValueId add_input(std::string name, ElementType type, std::optional<Dims> dims);
  /// Under `name`, or one like it.
  ValueId add_constant(const std::string& name, Tensor tensor);
  ValueId add_constant(const std::string& name, std::shared_ptr<const Tensor> tensor);
  /// A value that a node is to make, under `name` or one like it.
  ValueId add_value(const std::string& name);
  /// Errors name the node.
  Status add_node(Node node);
  /// The same for a node of one new output.
  Result<ValueId> add_node(Op op, const std::string& name, std::vector<ValueId> inputs,
                           Attributes attributes = {});

  /// Counts bytes that are not the graph's, but are needed for it.
  void charge(std::size_t bytes) { bytes_ += bytes; }
  /// kResourceExhausted once the graph is larger than kMostGraphBytes; add_node() tells as well. Until it is
  /// asked little more is stored.
  [[nodiscard]] Status check_size() const;

  /// What is known of a value that does not depend on the inputs; nullptr where nothing is.
  [[nodiscard]] const Tensor* known(ValueId id) const;

 private:
  void evaluate_node(const Node& node);
  /// Where shape inference knows the elements of what depends on an input's shape alone.
  void keep_elements(ValueId id);
  /// Counts the dims of a value and, where they are not another's, its elements.
  void charge_shape(ValueId id);

  Graph graph_;
  std::vector<Elements> elements_;                       // per value
  std::vector<std::shared_ptr<const Tensor>> computed_;  // per value, where evaluate_constants_
  std::size_t computed_bytes_ = 0;
  std::size_t bytes_ = 0;  // of everything but shared constants
  /// Of values, with the number that the next one like it gets.
  std::unordered_map<std::string, int> names_;
  bool evaluate_constants_;
};

}  // namespace zeropoint::toolchain
