#pragma once

// Steps on the rows of byte tensors: what lies along their last axes.

#include <vector>

#include "engine/step.h"
#include "kernels/elementwise/elementwise.h"

namespace zeropoint::engine {

class SoftmaxStep : public Step {
 public:
  Place from, to;
  std::int64_t rows = 0, count = 0;  ///< of a row
  std::vector<std::int32_t> exponentials;
  kernels::QuantizeParams quantization;
  const kernels::ElementwiseKernels* kernels = nullptr;

  Status run(const RunContext& context) override;
};

class NormalizeStep : public Step {
 public:
  Place from, to;
  std::int64_t rows = 0, count = 0;
  std::vector<double> gain, bias;
  kernels::NormalizeParams params;  ///< without gain and bias
  const kernels::ElementwiseKernels* kernels = nullptr;

  Status run(const RunContext& context) override;
};

/// A table for each element of a row.
class ChannelTableStep : public Step {
 public:
  Place from, to;
  std::int64_t rows = 0, count = 0;
  std::vector<std::uint8_t> tables;  ///< [count, 256]
  const kernels::ElementwiseKernels* kernels = nullptr;

  Status run(const RunContext& context) override;
};

/// The sum of two tensors that are broadcast to each other. Each row of the result takes a row of both, or
/// one element that stands for all of its own.
class BroadcastAddStep : public Step {
 public:
  struct Row {
    std::ptrdiff_t a, b;
  };

  Place a, b, to;
  std::int64_t count = 0;
  bool a_is_one = false, b_is_one = false;  ///< of an element for all
  std::vector<Row> rows;
  Place expanded;  ///< rows made of one element, one for each part
  kernels::Epilogue epilogue;
  const kernels::ElementwiseKernels* kernels = nullptr;

  Status run(const RunContext& context) override;
};

}  // namespace zeropoint::engine
