#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/builder.h"

namespace zeropoint::engine {

/// An operation by the reference's functions, for all that has no kernel. Allocates.
class ReferenceStep : public Step {
 public:
  /// A tensor that the operation reads or makes: at a place, or without a shape among the open ones.
  struct Port {
    TensorId id;
    std::optional<Shape> shape;
    Place place;
  };

  ReferenceStep(const Program& program, const Operation& operation, std::shared_ptr<OpenTensors> open,
                std::vector<Port> inputs, std::vector<Port> outputs, std::size_t largest_output);
  Status run(const RunContext& context) override;

 private:
  const Program& program_;
  const Operation& operation_;
  std::shared_ptr<OpenTensors> open_;
  std::vector<Port> inputs_;
  std::vector<Port> outputs_;
  std::size_t largest_output_;
};

}  // namespace zeropoint::engine
