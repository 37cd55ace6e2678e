#pragma once

#include <memory>
#include <vector>

#include "engine/layer_cache.h"
#include "engine/steps/dot_step.h"
#include "kernels/depthwise/depthwise.h"

namespace zeropoint::engine {

struct DepthwiseLayer {
  kernels::DepthwiseWeights packed;

  [[nodiscard]] std::int64_t bytes() const;
};

std::shared_ptr<const DepthwiseLayer> pack_depthwise(const LinearLayer& layer, std::int32_t input_shift,
                                                     std::int64_t window_width,
                                                     const kernels::DepthwiseKernel& kernel);

class DepthwiseStep : public Step {
 public:
  const kernels::DepthwiseKernel* kernel = nullptr;
  std::shared_ptr<const DepthwiseLayer> layer;
  kernels::Epilogue epilogue;
  std::vector<std::ptrdiff_t> taps;
  std::int64_t window_width = 1;
  Image input, output;
  std::ptrdiff_t row_step = 0;     ///< in the input, from one row of the output to the next
  std::ptrdiff_t column_step = 0;  ///< from one position to the next
  bool fills_halo = false;
  HaloFill halo;

  Status run(const RunContext& context) override;
};

}  // namespace zeropoint::engine
