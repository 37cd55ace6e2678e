#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "zeropoint/program.h"

namespace zeropoint::engine {

/// What is known of a program's tensors before it runs on inputs of given shapes.
struct KnownTensors {
  /// Per tensor; none where only the values of the inputs decide it.
  std::vector<std::optional<Shape>> shapes;
  /// Per tensor: its elements where no input has a part in them, the program's own constants among them.
  std::vector<std::shared_ptr<const Tensor>> constants;
};

/// Shapes of all tensors of a verified program, and the subgraphs of constants and shapes computed.
/// kInvalidArgument where the shapes do not fit the program or each other; kResourceExhausted where a tensor,
/// or what is computed here, would take more than `memory_limit` bytes.
Result<KnownTensors> infer_shapes(const Program& program, std::span<const Shape> input_shapes,
                                  std::size_t memory_limit);

}  // namespace zeropoint::engine
