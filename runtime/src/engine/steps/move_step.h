#pragma once

#include <cstdint>
#include <vector>

#include "engine/step.h"

namespace zeropoint::engine {

/// Stretches of neighbouring bytes from inputs to one output: where they go is known before the run.
class MoveStep : public Step {
 public:
  struct Move {
    std::int64_t to;
    std::int64_t from;
    std::int32_t input;
    std::int32_t bytes;
  };
  /// As many moves of one length at regular distances.
  struct Series {
    Move first;
    std::int64_t count;
    std::int64_t to_step;
    std::int64_t from_step;
  };

  std::vector<Place> inputs;
  Place output;
  std::vector<Series> series;
  std::vector<std::byte> fill;  ///< one element of what no input gives; none: all is given
  std::vector<Move> filled;     ///< where that goes; `from` and `input` mean nothing
  std::int64_t work = 0;        ///< in about nanoseconds

  /// Works out the work.
  void prepare();
  Status run(const RunContext& context) override;
  [[nodiscard]] std::int64_t bytes() const override {
    return static_cast<std::int64_t>(series.size() * sizeof(Series) + filled.size() * sizeof(Move));
  }
};

/// Joins moves that are neighbours, and lists those at regular distances together. `moves` in the order of
/// `to`.
std::vector<MoveStep::Series> join_moves(const std::vector<MoveStep::Move>& moves);

}  // namespace zeropoint::engine
