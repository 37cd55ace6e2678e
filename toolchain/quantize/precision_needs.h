#pragma once

#include <map>
#include <set>
#include <string>

#include "quantize/integer_flow.h"
#include "zeropoint/affine_tensor.h"
#include "zeropoint/toolchain/statistics.h"

namespace zeropoint::toolchain {

/// Tensors that 8 bits would damage, by IntegerFlow::group, each with the reason.
struct PrecisionNeeds {
  std::map<ValueId, std::string> why;
  std::set<ValueId> products;  ///< groups that products too must read in 16 bits
};

/// A step of 8 bits in the argument of a Softmax changes what it gives by the factor exp(step / 2) at most:
/// above this many it is too wide.
inline constexpr float kWidestSoftmaxStep = 0.125F;
/// The standard deviation of what rounding Q and K to 8 bits does to the argument of a Softmax.
inline constexpr double kMostScoreNoise = 0.1;
/// Signal to noise, in dB, below which a tensor's outliers leave too few steps for the bulk.
inline constexpr double kLeastSignalToNoise = 22;

/// What is found from the graph, the range of each group, and what calibration saw:
/// - arguments of Softmax whose step is too wide, and the operands of the product they come from;
/// - tensors whose bulk is far smaller than their range (see signal_to_noise());
/// - what sums, products element by element and functions of one element make such tensors of.
PrecisionNeeds precision_needs(const Graph& graph, const IntegerFlow& flow,
                               const std::map<ValueId, RealRange>& ranges, const Statistics& statistics);

/// 10 log10(E[x^2] / E[(x - x')^2]) for what `tensor` saw, quantized to integers of `type` by `params`:
/// rounding to a step of s has variance s^2 / 12, values nearer to 0 than that lose themselves, and those
/// outside of the range lose what is cut off. Infinite where nothing is lost.
double signal_to_noise(const TensorStatistics& tensor, QuantParams params, QuantizedType type);

}  // namespace zeropoint::toolchain
