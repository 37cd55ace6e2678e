#pragma once

#include <string>

#include "report/point_sums.h"

namespace zeropoint::toolchain {

/// What is kept of one output of two networks while samples pass.
class OutputSums {
 public:
  OutputSums(std::string tensor, bool are_probabilities)
      : tensor_(std::move(tensor)), are_probabilities_(are_probabilities) {}

  /// Outputs that are not float32 are passed over; kInvalidArgument for different shapes.
  Status add(const Tensor& reference, const Tensor& quantized);
  [[nodiscard]] OutputMeasurement figures() const;

 private:
  void add_rows(const Tensor& reference, const Tensor& quantized, std::int64_t axis);

  std::string tensor_;
  bool are_probabilities_;
  DeviationSums sums_;
  double signal_ = 0;
  std::int64_t rows_ = 0;
  std::int64_t agreeing_ = 0;
  double divergence_ = 0;  // summed
};

}  // namespace zeropoint::toolchain
