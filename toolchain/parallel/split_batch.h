#pragma once

#include <cstdint>
#include <span>

#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// Part `part` of `parts` of the numbers [0, count): [begin, end), equal up to one.
struct PartRange {
  std::int64_t begin;
  std::int64_t end;
};
inline PartRange part_of(std::int64_t count, int part, int parts) {
  return {count * part / parts, count * (part + 1) / parts};
}

/// Samples [begin, end) of a batch, copied.
Tensor slice_batch(const Tensor& batch, PartRange range);

/// Batches of one type and sample shape, one after another. There must be at least one.
Tensor join_batches(std::span<const Tensor> parts);

}  // namespace zeropoint::toolchain
