#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "import/pickle.h"

namespace zeropoint::toolchain {

/// The stack of a pickle machine and its marks. Nothing below the latest mark can be reached.
class PickleStack {
 public:
  [[nodiscard]] std::size_t size() const { return ids_.size(); }
  [[nodiscard]] std::size_t marks() const { return marks_.size(); }
  /// The topmost value, which must be there.
  [[nodiscard]] PickleId top() const { return ids_.back(); }

  Status push(PickleId id);
  Status push_mark();
  /// An error unless `count` values stand above the latest mark.
  [[nodiscard]] Status need(std::size_t count) const;
  /// Takes the topmost `count` values, which must be there, in the order they were pushed.
  std::vector<PickleId> pop(std::size_t count);
  /// Takes everything above the latest mark, and the mark.
  Result<std::vector<PickleId>> pop_to_mark();
  /// Drops the topmost value or, when there is none above it, the latest mark.
  Status pop_one();

 private:
  [[nodiscard]] std::size_t reachable() const { return ids_.size() - (marks_.empty() ? 0 : marks_.back()); }

  std::vector<PickleId> ids_;
  std::vector<std::size_t> marks_;  // heights of ids_
};

/// Values that a pickle put aside by number.
class PickleMemo {
 public:
  /// How many numbers are taken.
  [[nodiscard]] std::size_t size() const { return taken_; }
  Status put(std::uint64_t index, PickleId id);
  [[nodiscard]] Result<PickleId> get(std::uint64_t index) const;

 private:
  static constexpr PickleId kNothing = ~PickleId{0};

  std::vector<PickleId> ids_;  // kNothing where nothing was put
  std::size_t taken_ = 0;
};

}  // namespace zeropoint::toolchain
