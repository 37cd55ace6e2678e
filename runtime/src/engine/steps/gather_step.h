#pragma once

#include "engine/step.h"
#include "zeropoint/tensor.h"

namespace zeropoint::engine {

/// ONNX Gather by indices that a run computes: of a tensor [outer, extent, inner bytes] the slices that they
/// name.
class GatherStep : public Step {
 public:
  Place from, indices, to;
  std::int64_t outer = 0, extent = 0, inner = 0;
  std::int64_t count = 0;  ///< of indices
  ElementType index_type = ElementType::kInt64;

  Status run(const RunContext& context) override;
};

}  // namespace zeropoint::engine
