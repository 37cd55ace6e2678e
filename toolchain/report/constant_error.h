#pragma once

#include "report/quantized_points.h"
#include "zeropoint/toolchain/measure.h"

namespace zeropoint::toolchain {

/// Puts the quantized weights and bias of a network's layers beside the constants that they were made from.
class ConstantErrors {
 public:
  /// `reference`: the float network as the quantized one was made from it, so simplified if that was. Both
  /// graphs outlive this.
  ConstantErrors(const Graph& reference, const Graph& quantized);

  /// Weights and bias of the point's product go into `layer`, whose tensor is named; nothing where the float
  /// network has no such product, or its constants another shape.
  void write(const QuantizedPoint& point, LayerMeasurement& layer) const;

 private:
  [[nodiscard]] std::optional<ConstantMeasurement> measure(const Node& reference, const Node& quantized,
                                                           std::size_t input, std::int64_t axis) const;

  const Graph& reference_;
  const Graph& quantized_;
  std::vector<std::int32_t> reference_makers_;
  std::vector<std::int32_t> makers_;
};

}  // namespace zeropoint::toolchain
