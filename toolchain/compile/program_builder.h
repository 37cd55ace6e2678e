#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "zeropoint/program.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// A program as it grows. Operations that turn out not to be needed may be added; finish() leaves them out.
class ProgramBuilder {
 public:
  explicit ProgramBuilder(std::string name) { program_.name = std::move(name); }

  TensorId add_tensor(std::string name, ElementType type, const std::optional<Dims>& dims);
  TensorId add_constant(std::string name, std::shared_ptr<const Tensor> tensor);
  /// `node`: index of the graph's node that the operation computes as it stands, or -1.
  void add(Operation operation, std::int32_t node = -1);

  [[nodiscard]] const TensorInfo& tensor(TensorId id) const { return program_.tensor(id); }
  /// Names a tensor whose name was made up, once.
  void name_tensor(TensorId id, const std::string& name);
  /// A tensor whose name is made up from that of a value of the graph.
  TensorId add_unnamed(const Value& value, ElementType type);

  struct Finished {
    Program program;
    std::vector<std::int32_t> nodes;  ///< per operation, as given to add()
  };
  /// The program with these inputs and outputs: what they do not need is gone, and each layer has the
  /// narrowest accumulator that holds its sums.
  Finished finish(std::vector<TensorId> inputs, std::vector<TensorId> outputs) &&;

 private:
  void drop_unneeded();
  void drop_tensors();
  void choose_accumulators();

  Program program_;
  std::vector<std::int32_t> nodes_;
  std::set<TensorId> unnamed_;
};

}  // namespace zeropoint::toolchain
