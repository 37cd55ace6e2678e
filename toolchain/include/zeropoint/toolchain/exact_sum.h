#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// A sum that is never rounded: an integer of 384 bits that counts steps of 2^-149, the smallest step of
/// float32. Whatever order numbers come in, and however they are split, the sum has the same bits.
class ExactSum {
 public:
  ExactSum() = default;
  /// Adds a sum of float32 numbers that float64 holds: `value` is finite, a multiple of 2^-149 (every float64
  /// that float32 numbers were added up in is one), and at most 2^172 in absolute value; so 2^60 of them fit.
  void add(double value);
  void add(const ExactSum& other);

  /// The sum, rounded once to float64.
  [[nodiscard]] double value() const;

  /// "-1f3a@23": a hexadecimal integer and the power of two that it is multiplied with; "0".
  [[nodiscard]] std::string to_text() const;
  /// What to_text() wrote; kCorrupt for anything else, or more than 2^232.
  static Result<ExactSum> from_text(std::string_view text);

  friend bool operator==(const ExactSum&, const ExactSum&) = default;

 private:
  static constexpr std::size_t kWords = 6;
  using Words = std::array<std::uint64_t, kWords>;

  explicit ExactSum(const Words& words) : words_(words) {}

  [[nodiscard]] bool is_negative() const { return (words_[kWords - 1] >> 63) != 0; }
  [[nodiscard]] Words magnitude() const;

  Words words_{};  // two's complement, lowest word first
};

}  // namespace zeropoint::toolchain
