#pragma once

// Ranges that are searched for in a histogram. `seen` is the range of its values; what is found lies in it.

#include "zeropoint/affine.h"
#include "zeropoint/affine_tensor.h"
#include "zeropoint/toolchain/histogram.h"

namespace zeropoint::toolchain {

/// The range at which quantization to `type` has the least mean squared error, of rounding and clamping
/// together. Both ends are searched for, each among kMseSteps parts of its side, one after the other until
/// neither moves. Types of more integers than there are bins get all of the range.
RealRange least_squares_range(const Histogram& histogram, RealRange seen, QuantizedType type);
inline constexpr int kMseSteps = 256;

/// The mean squared error at a range, each value being taken for its bin's centre.
double squared_error(const Histogram& histogram, RealRange range, QuantizedType type);

/// The range [max(-T, min), min(T, max)] at which the quantized distribution tells least about another than
/// the one seen: the least Kullback-Leibler divergence D(P || Q) = sum P log(P / Q) over the bins, after
/// Migacz, "8-bit inference with TensorRT" (2017). P has all values, those beyond T in the outermost bins; Q
/// has the values within T, spread evenly over those bins of each integer that P fills. T runs over every
/// edge of a bin from which on there are at least as many bins as integers.
///
/// Where it departs from the usual code: the integers are those of `type`, in the number that it has and
/// where scale and zero point put them, none wider than others; both signs are searched together; zeros are
/// left out, being exact whatever T is; nothing is smoothed, since a T at which Q lacks what P has is no
/// candidate.
RealRange least_divergence_range(const Histogram& histogram, RealRange seen, QuantizedType type);

/// The divergence at T = `bins` bins; infinite where that is no candidate.
double divergence(const Histogram& histogram, RealRange seen, QuantizedType type, int bins);

/// The same by the algorithm of the course awesome-compression (Datawhale, chapter 4, "KL quantization"):
/// over 2048 bins of |x| from 0 to the largest, without the first; 128 integers of floor(T / 128) bins each,
/// the last of which takes the remainder but for its last bin; counts that are 0 become 1e-4, the others less
/// by as much.
RealRange chapter_divergence_range(const Histogram& histogram, RealRange seen);

}  // namespace zeropoint::toolchain
