#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// How often values were seen, in bins of equal width on both sides of 0. The width is a power of two, the
/// smallest at which kSide bins reach beyond the largest |x|: so it depends on the values alone, never on
/// their order. Where a larger value comes, the range doubles and neighbouring bins become one, which loses
/// nothing: bin floor(|x| / 2w) is made of bins 2i and 2i + 1 of width w. Therefore merging is exact, and the
/// same in any order. Memory is constant.
class Histogram {
 public:
  /// Bins on each side of 0. More than half of those of the longer side are in use.
  static constexpr int kSide = 4096;
  static constexpr int kBins = 2 * kSide;
  /// Widths are 2^-126 to 2^116.
  static constexpr int kMinExponent = -126;
  static constexpr int kMaxExponent = 116;

  /// `values` are finite.
  void add(std::span<const float> values);
  void merge(const Histogram& other);
  void clear();

  /// All values, exact zeros among them.
  [[nodiscard]] std::int64_t count() const { return count_; }
  /// Values that are 0; no bin counts them, since every quantization represents them exactly.
  [[nodiscard]] std::int64_t zeros() const { return zeros_; }
  /// The bins in ascending order: bin i holds the values between edge(i) and edge(i + 1), those on an edge
  /// being counted in the bin further from 0. kBins of them, or none where nothing but 0 was seen.
  [[nodiscard]] std::span<const std::int64_t> bins() const { return bins_; }
  [[nodiscard]] int exponent() const { return exponent_; }
  [[nodiscard]] double width() const;
  /// The lower end of bin `bin`: (bin - kSide) * width().
  [[nodiscard]] double edge(int bin) const { return (bin - kSide) * width(); }

  /// From what was read: `bins` as bins() gives them. kCorrupt for a width out of range or wider than the
  /// bins need, negative counts, or more than 2^62 values.
  static Result<Histogram> from_counts(int exponent, std::int64_t zeros, std::vector<std::int64_t> bins);

  friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
  /// Makes room for values up to `largest` in absolute value.
  void reach(float largest);
  void widen(int exponent);

  int exponent_ = kMinExponent;
  std::int64_t count_ = 0;
  std::int64_t zeros_ = 0;
  std::vector<std::int64_t> bins_;
};

}  // namespace zeropoint::toolchain
