#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>

#include "engine/image.h"
#include "thread_pool.h"
#include "zeropoint/session.h"
#include "zeropoint/status.h"

namespace zeropoint::engine {

/// What a step finds when it runs.
struct RunContext {
  std::byte* const* memory;  ///< of each buffer
  ThreadPool* pool;          ///< none: the caller's thread alone
  /// Work that this run gave to one thread because others slept.
  mutable std::int64_t missed = 0;

  static constexpr std::int64_t kMostParts = 64;

  /// The most parts of in_parts(). Some more than threads, so that one that starts late finds less left.
  static std::int64_t parts_of(std::int64_t count, int threads) {
    return threads == 1 ? 1 : std::min<std::int64_t>({count, kMostParts, std::int64_t{4} * threads});
  }

  [[nodiscard]] int threads() const { return pool == nullptr ? 1 : pool->threads(); }

  /// Calls function(begin, end) or function(begin, end, part) for parts of [0, count), which may run at the
  /// same time where that is worth its price: `work` is all of it together, in about nanoseconds on one
  /// thread. The number of a part is below parts_of(count, threads()), so that each can have memory of its
  /// own.
  template <typename Function>
  void in_parts(std::int64_t count, std::int64_t work, Function&& function) const {
    constexpr std::int64_t kWorthSharing = 5000;
    constexpr std::int64_t kWorthWaking = 20000;
    constexpr std::int64_t kPart = 2500;
    auto call = [&](std::int64_t begin, std::int64_t end, std::int64_t part) {
      if constexpr (std::is_invocable_v<Function&, std::int64_t, std::int64_t, std::int64_t>) {
        function(begin, end, part);
      } else {
        function(begin, end);
      }
    };
    if (pool == nullptr || work < kWorthSharing || count < 2) {
      call(0, count, 0);
      return;
    }
    std::int64_t parts = std::min(parts_of(count, threads()), work / kPart);
    if (!pool->are_awake(parts)) {
      // Threads are woken when what was computed without them would have been worth it.
      missed += work;
      if (missed < kWorthWaking) {
        call(0, count, 0);
        return;
      }
      missed = 0;
    }
    pool->for_each(parts,
                   [&](std::int64_t part) { call(count * part / parts, count * (part + 1) / parts, part); });
  }

  [[nodiscard]] std::byte* at(Place place) const { return memory[place.buffer] + place.offset; }
  [[nodiscard]] std::uint8_t* bytes_at(Place place) const {
    return reinterpret_cast<std::uint8_t*>(at(place));
  }
};

/// One computation of a prepared program, all of it decided but the memory.
class Step {
 public:
  virtual ~Step() = default;
  virtual Status run(const RunContext& context) = 0;
  /// What it keeps besides weights that grows with the shapes.
  [[nodiscard]] virtual std::int64_t bytes() const { return 0; }

  StepProfile profile;
};

}  // namespace zeropoint::engine
