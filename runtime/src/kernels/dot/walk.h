#pragma once

// Where the positions of a run go. Internal linkage: it is included by files of several instruction sets.

#include "kernels/dot/dot.h"

namespace zeropoint::kernels {
namespace {

/// The targets of up to kMost neighbouring positions; those of a gap are not stored.
template <int kMost>
struct Targets {
  bool in_row;  ///< see Walk::take()
  std::ptrdiff_t output[kMost];
  std::ptrdiff_t other[kMost];
  bool stored[kMost];
};

/// Gives each of the targets that lie in one row.
template <int kMost>
void spread(const DotParams& p, int count, Targets<kMost>& targets) {
  for (int r = 0; r < count; ++r) {
    targets.stored[r] = true;
    targets.output[r] = targets.output[0] + r * p.output_step;
    targets.other[r] = targets.other[0] + r * p.other_step;
  }
  targets.in_row = false;
}

/// Brings the pointers to the run behind.
[[maybe_unused]] void to_next_run(DotParams& p) {
  std::ptrdiff_t size = p.epilogue->kind == EpilogueKind::kAccumulators ? 4 : 1;
  p.input += p.input_run;
  p.output = static_cast<std::byte*>(p.output) + p.output_run * size;
  p.other += p.other_run;
}

/// Walks through the positions of a run in their order.
class Walk {
 public:
  explicit Walk(const DotParams& p) : p_(p), left_(p.row_length) {
    if (p.first_position > 0) {
      seek(p.first_position);
    }
  }

  /// To any position.
  void seek(std::int64_t position) {
    std::int64_t period = p_.row_length + p_.row_gap;
    std::int64_t row = position / period;
    std::int64_t x = position - row * period;
    left_ = p_.row_length - x;
    row_output_ = row * p_.output_row;
    row_other_ = row * p_.other_row;
    output_ = row_output_ + x * p_.output_step;
    other_ = row_other_ + x * p_.other_step;
  }

  /// The next positions. Where they lie in one row, only the first target is given: the others are as far
  /// apart as positions are.
  template <int kMost>
  void take(int count, Targets<kMost>& targets) {
    targets.in_row = count <= left_;
    if (!targets.in_row) {
      take_each(count, targets);
      return;
    }
    targets.output[0] = output_;
    targets.other[0] = other_;
    left_ -= count;
    output_ += count * p_.output_step;
    other_ += count * p_.other_step;
    begin_row_after_gap();
  }

  /// The same with every target.
  template <int kMost>
  void take_each(int count, Targets<kMost>& targets) {
    targets.in_row = false;
    for (int r = 0; r < count; ++r) {
      targets.stored[r] = left_ > 0;
      targets.output[r] = output_;
      targets.other[r] = other_;
      output_ += p_.output_step;
      other_ += p_.other_step;
      --left_;
      begin_row_after_gap();
    }
  }

 private:
  void begin_row_after_gap() {
    if (left_ == -p_.row_gap) {
      left_ = p_.row_length;
      row_output_ += p_.output_row;
      row_other_ += p_.other_row;
      output_ = row_output_;
      other_ = row_other_;
    }
  }

  const DotParams& p_;
  std::int64_t left_;
  std::ptrdiff_t output_ = 0;
  std::ptrdiff_t other_ = 0;
  std::ptrdiff_t row_output_ = 0;
  std::ptrdiff_t row_other_ = 0;
};

}  // namespace
}  // namespace zeropoint::kernels
