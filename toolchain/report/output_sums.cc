#include "report/output_sums.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/evaluator.h"

namespace zeropoint::toolchain {
namespace {

/// Where classes lie in an output: behind the batch for one row per sample or for places in an image, last
/// for rows of a sequence. None for outputs that hold no scores.
std::optional<std::int64_t> class_axis(const Tensor& output) {
  if (output.type() != ElementType::kFloat32 || output.rank() < 2) {
    return std::nullopt;
  }
  std::int64_t axis = output.rank() == 3 ? 2 : 1;
  return output.dim(axis) > 1 ? std::optional(axis) : std::nullopt;
}

/// Turns scores into the logarithms of probabilities.
void to_log_probabilities(std::vector<double>& scores, bool are_probabilities) {
  constexpr double kLeast = 1e-12;
  double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double score : scores) {
    sum += std::exp(score - largest);
  }
  double offset = largest + std::log(sum);
  for (double& score : scores) {
    score = are_probabilities ? std::log(std::max(score, kLeast)) : score - offset;
  }
}

/// Sum p (log p - log q), of logarithms.
double divergence_of(const std::vector<double>& p, const std::vector<double>& q) {
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    sum += std::exp(p[i]) * (p[i] - q[i]);
  }
  return sum;
}

}  // namespace

void RowSums::add(double value) {
  sum += value;
  squares += value * value;
}

double RowSums::mean(std::int64_t rows) const {
  return sum / static_cast<double>(std::max<std::int64_t>(rows, 1));
}

double RowSums::standard_error(std::int64_t rows) const {
  auto count = static_cast<double>(std::max<std::int64_t>(rows, 1));
  return std::sqrt(std::max(0.0, squares / count - mean(rows) * mean(rows)) / count);
}

Status OutputSums::add(const Tensor& reference, const Tensor& quantized) {
  if (reference.type() != ElementType::kFloat32 || quantized.type() != ElementType::kFloat32) {
    return {};
  }
  if (reference.shape() != quantized.shape()) {
    return Status::invalid_argument(
        fmt::format("output '{}' is {} in the float network and {} in the quantized one", tensor_,
                    zeropoint::to_string(reference.shape()), zeropoint::to_string(quantized.shape())));
  }
  std::span<const float> x = reference.data<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    signal_ += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    sums_.add(x[i], quantized.data<float>()[i]);
  }
  if (std::optional<std::int64_t> axis = class_axis(reference); axis && reference.size() > 0) {
    add_rows(reference, quantized, *axis);
  }
  return {};
}

void OutputSums::add_rows(const Tensor& reference, const Tensor& quantized, std::int64_t axis) {
  auto classes = static_cast<std::size_t>(reference.dim(axis));
  std::size_t inner = 1;
  for (std::int64_t i = axis + 1; i < reference.rank(); ++i) {
    inner *= static_cast<std::size_t>(reference.dim(i));
  }
  std::vector<float> a(classes);
  std::vector<float> b(classes);
  for (std::size_t row = 0; row < static_cast<std::size_t>(reference.size()) / classes; ++row) {
    std::size_t start = row / inner * classes * inner + row % inner;
    for (std::size_t c = 0; c < classes; ++c) {
      a[c] = reference.data<float>()[start + c * inner];
      b[c] = quantized.data<float>()[start + c * inner];
    }
    ++rows_;
    auto before = static_cast<std::size_t>(best_class(a));
    auto after = static_cast<std::size_t>(best_class(b));
    agreeing_ += before == after ? 1 : 0;
    std::vector<double> p(a.begin(), a.end());
    std::vector<double> q(b.begin(), b.end());
    to_log_probabilities(p, are_probabilities_);
    to_log_probabilities(q, are_probabilities_);
    divergence_.add(divergence_of(p, q));
    expected_loss_.add(std::exp(p[before]) - std::exp(p[after]));
  }
}

OutputMeasurement OutputSums::figures() const {
  return {tensor_,
          sums_.deviation(signal_),
          rows_,
          agreeing_,
          divergence_.mean(rows_),
          divergence_.standard_error(rows_),
          expected_loss_.mean(rows_),
          expected_loss_.standard_error(rows_)};
}

}  // namespace zeropoint::toolchain
