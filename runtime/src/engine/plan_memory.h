#pragma once

#include <cstdint>
#include <vector>

namespace zeropoint::engine {

/// A buffer of the arena, alive from step `first` to step `last`, both included.
struct Lifetime {
  std::int64_t bytes = 0;
  std::int64_t first = 0;
  std::int64_t last = -1;  ///< before `first`: never
};

struct MemoryPlan {
  std::vector<std::int64_t> offsets;  ///< multiples of 64
  std::int64_t peak = 0;
  std::int64_t least = 0;  ///< the most that is alive at one step
};

/// Gives buffers that are alive at the same step memory of their own: each, the largest first, gets the
/// lowest gap that holds it.
MemoryPlan plan_memory(const std::vector<Lifetime>& buffers);

}  // namespace zeropoint::engine
