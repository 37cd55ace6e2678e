#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "zeropoint/program.h"

namespace zeropoint {

/// The integers that each tensor of a program can hold: narrower than its type where an operation clamps. The
/// program's tensors must be made before they are used; tensors that are no integers have [0, 0].
std::vector<QuantizedRange> integer_ranges(const Program& program);

/// The range of all sums that a layer can pass through, over its channels, for inputs in `input`; weights of
/// another type than int8, int16 or int32 have none. Ends beyond 2^62 are given as +-2^62.
QuantizedRange accumulator_range(const LinearLayer& layer, QuantizedRange input);

/// A range that holds it, from the number of weights and their type alone: it takes no look at them.
QuantizedRange accumulator_range_of_any_weights(const LinearLayer& layer, QuantizedRange input);

/// accumulator_range() of many layers that may share their weights: these are read once. They must stay where
/// they are as long as it is used.
class AccumulatorRanges {
 public:
  QuantizedRange of(const LinearLayer& layer, QuantizedRange input);

 private:
  /// The sums of a channel's negative and of its positive weights.
  using Sums = std::pair<std::int64_t, std::int64_t>;
  std::map<std::tuple<const void*, ElementType, std::int64_t, std::size_t>, std::vector<Sums>> sums_;
};

/// The input range of a convolution, whose padding holds the zero point.
QuantizedRange range_with_padding(QuantizedRange input, std::int64_t zero_point);

}  // namespace zeropoint
