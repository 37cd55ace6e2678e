#pragma once

#include <cstddef>
#include <memory>

#include "engine/image.h"
#include "zeropoint/session.h"
#include "zeropoint/status.h"

namespace zeropoint {
class ThreadPool;
}

namespace zeropoint::engine {

/// What a step finds when it runs.
struct RunContext {
  std::byte* const* memory;  ///< of each buffer
  ThreadPool* pool;          ///< none: the caller's thread alone

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

  StepProfile profile;
};

}  // namespace zeropoint::engine
