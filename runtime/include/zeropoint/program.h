#pragma once

// A network as integer operations, ready to run: what `compile` makes of a graph in QDQ form. Portable:
// nothing in it depends on an instruction set. Images are NCHW as in the graph.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/operations.h"
#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint {

/// An extent that is known only when the program runs: of the batch, as a rule.
inline constexpr std::int64_t kOpenExtent = -1;

/// A tensor that flows through a program, or a constant.
struct TensorInfo {
  std::string name;
  ElementType type = ElementType::kInt8;
  std::optional<Shape> shape;  ///< with kOpenExtent where a run decides; none: not even the rank is known
  std::shared_ptr<const Tensor> constant = nullptr;
};

/// Whether verify() has passed a program that cannot have changed since. A copy is not marked, since it can
/// be changed.
class VerifiedMark {
 public:
  VerifiedMark() = default;
  VerifiedMark(const VerifiedMark& /*other*/) noexcept {}
  VerifiedMark& operator=(const VerifiedMark& /*other*/) noexcept {
    marked_ = false;
    return *this;
  }
  ~VerifiedMark() = default;

  void set() { marked_ = true; }
  [[nodiscard]] bool is_set() const { return marked_; }

 private:
  bool marked_ = false;
};

/// A value type; copies share the constants' memory. Safe to share between threads as long as nobody changes
/// it.
struct Program {
  std::string name;
  std::vector<TensorInfo> tensors;
  std::vector<Operation> operations;  ///< in an order in which they can run
  std::vector<TensorId> inputs;
  std::vector<TensorId> outputs;
  /// Set by load_program() and parse_program(), which give out programs that nobody can change.
  VerifiedMark verified = {};

  [[nodiscard]] const TensorInfo& tensor(TensorId id) const { return tensors[static_cast<std::size_t>(id)]; }
};

/// Checks all of a program that shapes have no part in: ids in range, each tensor made once and before it is
/// used, element types, scales, zero points and ranges, and that no accumulator can leave its type. That
/// shapes fit each other is checked when it runs. Errors name operation and tensor.
Status verify(const Program& program);

/// The tensors of reals that are neither input nor output nor constant. An integer program has none.
std::vector<TensorId> float_tensors_inside(const Program& program);

}  // namespace zeropoint
