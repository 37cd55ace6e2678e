#pragma once

#include <map>
#include <string>
#include <vector>

#include "quantize/improve/sample_chunks.h"
#include "zeropoint/toolchain/quantize_network.h"

namespace zeropoint::toolchain {

/// A tensor of a graph, and the axis along which its channels lie (negative: from the end).
struct ChannelAxis {
  ValueId value;
  std::int64_t axis;
};

/// Sums, in double, of each channel of one tensor.
class ChannelSums {
 public:
  void add(const Tensor& tensor, std::int64_t axis);
  void add(const ChannelSums& other);
  [[nodiscard]] std::vector<double> means() const;

 private:
  std::vector<double> sums_;
  std::int64_t count_ = 0;  // of elements per channel
};

/// The means of `tensors` over all samples, in one pass over `graph`.
Result<ChannelMeans> channel_means(const Graph& graph, const std::vector<ChannelAxis>& tensors,
                                   const SampleChunks& samples, Team& team);

/// Without data: what a BatchNormalization gives is taken as normal with mean beta and deviation |gamma|, and
/// a Relu or Clip [a, b] behind it moves its mean to
///     E = a F(A) + b (1 - F(B)) + beta (F(B) - F(A)) + gamma (f(A) - f(B)),  A = (a - beta) / gamma, ...
/// with F and f the normal distribution and its density (Nagel et al. 2019, appendix C). To be called before
/// the BatchNormalization is folded; the names are those that the tensors keep.
ChannelMeans channel_means_of_batch_norms(const Graph& graph);

}  // namespace zeropoint::toolchain
