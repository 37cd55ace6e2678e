#pragma once

#include <string>

#include "report/point_sums.h"

namespace zeropoint::toolchain {

/// A mean over rows, and how sure it is.
struct RowSums {
  double sum = 0;
  double squares = 0;

  void add(double value);
  [[nodiscard]] double mean(std::int64_t rows) const;
  /// sqrt((E v^2 - (E v)^2) / rows)
  [[nodiscard]] double standard_error(std::int64_t rows) const;
};

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
  RowSums divergence_;
  RowSums expected_loss_;
};

}  // namespace zeropoint::toolchain
