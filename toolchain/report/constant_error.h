#pragma once

#include "report/quantized_points.h"
#include "zeropoint/toolchain/measure.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// Puts the quantized weights and bias of a network's layers beside the constants that they were made from.
class ConstantErrors {
 public:
  /// `reference`: the float network as the quantized one was made from it, so simplified if that was. Both
  /// graphs outlive this, and so does `plan`, as MeasureOptions::plan.
  ConstantErrors(const Graph& reference, const Graph& quantized, const QuantPlan* plan = nullptr);

  /// Weights and bias of the point's product go into `layer`, whose tensor is named; nothing where the float
  /// network has no such product, or its constants another shape.
  void write(const QuantizedPoint& point, LayerMeasurement& layer) const;

 private:
  [[nodiscard]] std::optional<ConstantMeasurement> measure(const Node& reference, const Node& quantized,
                                                           std::size_t input, std::int64_t axis) const;
  /// The reals that an improvement put in place of a bias; nullptr where none did.
  [[nodiscard]] const std::vector<float>* improved_bias(const Node& reference) const;

  const Graph& reference_;
  const Graph& quantized_;
  const QuantPlan* plan_;
  std::vector<std::int32_t> reference_makers_;
  std::vector<std::int32_t> makers_;
};

}  // namespace zeropoint::toolchain
