#include "zeropoint/toolchain/exact_sum.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>

namespace zeropoint::toolchain {
namespace {

constexpr int kStep = -149;      // log2 of what the lowest bit counts
constexpr int kMostBits = 381;   // of a magnitude: 2^232 / 2^-149
constexpr int kMantissa = 53;    // bits of a float64's mantissa
constexpr unsigned kDigit = 16;  // hexadecimal

/// words += value << shift, wrapping; `value` has kMantissa bits.
template <std::size_t kCount>
void add_shifted(std::array<std::uint64_t, kCount>& words, std::uint64_t value, unsigned shift) {
  std::size_t word = shift / 64;
  unsigned bit = shift % 64;
  std::uint64_t parts[] = {value << bit, bit == 0 ? 0 : value >> (64 - bit)};
  std::uint64_t carry = 0;
  for (std::size_t i = 0; word + i < kCount && (i < 2 || carry != 0); ++i) {
    std::uint64_t part = i < 2 ? parts[i] : 0;
    std::uint64_t sum = words[word + i] + part;
    std::uint64_t over = sum < part ? 1 : 0;
    words[word + i] = sum + carry;
    carry = over | (words[word + i] < carry ? 1 : 0);
  }
}

template <std::size_t kCount>
void negate(std::array<std::uint64_t, kCount>& words) {
  std::uint64_t carry = 1;
  for (std::uint64_t& word : words) {
    word = ~word + carry;
    carry = carry != 0 && word == 0 ? 1 : 0;
  }
}

template <std::size_t kCount>
int bit_width(const std::array<std::uint64_t, kCount>& words) {
  for (std::size_t i = kCount; i-- > 0;) {
    if (words[i] != 0) {
      return static_cast<int>(64 * i + std::bit_width(words[i]));
    }
  }
  return 0;
}

int digit_of(char c) { return c >= '0' && c <= '9' ? c - '0' : (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1); }

}  // namespace

void ExactSum::add(double value) {
  if (value == 0) {
    return;
  }
  int exponent = 0;
  double mantissa = std::frexp(std::abs(value), &exponent);
  auto integer = static_cast<std::uint64_t>(std::ldexp(mantissa, kMantissa));
  int shift = exponent - kMantissa - kStep;
  if (shift < 0) {  // the bits that go are 0, since the value is a multiple of the step
    integer >>= -shift;
    shift = 0;
  }
  Words words{};
  add_shifted(words, integer, static_cast<unsigned>(shift));
  if (value < 0) {
    negate(words);
  }
  add(ExactSum(words));
}

void ExactSum::add(const ExactSum& other) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < kWords; ++i) {
    std::uint64_t sum = words_[i] + other.words_[i];
    std::uint64_t over = sum < other.words_[i] ? 1 : 0;
    words_[i] = sum + carry;
    carry = over | (words_[i] < carry ? 1 : 0);
  }
}

ExactSum::Words ExactSum::magnitude() const {
  Words words = words_;
  if (is_negative()) {
    negate(words);
  }
  return words;
}

double ExactSum::value() const {
  Words words = magnitude();
  int width = bit_width(words);
  if (width == 0) {
    return 0;
  }
  // The upper 64 bits, the lowest of them also standing for all below it: converting rounds to the nearest,
  // ties to even, as rounding the whole integer would.
  int drop = std::max(0, width - 64);
  std::uint64_t top = 0;
  bool rest = false;
  for (int bit = width; bit-- > 0;) {
    std::uint64_t set = words[static_cast<std::size_t>(bit) / 64] >> (bit % 64) & 1;
    if (bit >= drop) {
      top = top << 1 | set;
    } else {
      rest = rest || set != 0;
    }
  }
  double rounded = std::ldexp(static_cast<double>(top | (rest ? 1 : 0)), drop + kStep);
  return is_negative() ? -rounded : rounded;
}

std::string ExactSum::to_text() const {
  Words words = magnitude();
  int width = bit_width(words);
  if (width == 0) {
    return "0";
  }
  auto digit_at = [&](int position) {
    return static_cast<unsigned>(words[static_cast<std::size_t>(position) / 16] >> (position % 16 * 4)) %
           kDigit;
  };
  int lowest = 0;
  while (digit_at(lowest) == 0) {
    ++lowest;
  }
  std::string text = is_negative() ? "-" : "";
  for (int position = (width + 3) / 4; position-- > lowest;) {
    text += "0123456789abcdef"[digit_at(position)];
  }
  return fmt::format("{}@{}", text, 4 * lowest + kStep);
}

Result<ExactSum> ExactSum::from_text(std::string_view text) {
  Status bad = Status::corrupt(fmt::format("'{}' is no sum", text.substr(0, 150)));
  if (text == "0") {
    return ExactSum();
  }
  bool negative = text.starts_with('-');
  std::string_view digits = text.substr(negative ? 1 : 0);
  std::size_t at = digits.find('@');
  if (at == std::string_view::npos || at == 0 || at > kMostBits / 4 + 1 || digits.size() - at > 5) {
    return bad;
  }
  std::string_view power = digits.substr(at + 1);
  digits = digits.substr(0, at);
  bool below = power.starts_with('-');
  int exponent = 0;
  for (char c : power.substr(below ? 1 : 0)) {
    if (c < '0' || c > '9') {
      return bad;
    }
    exponent = 10 * exponent + (c - '0');
  }
  int shift = (below ? -exponent : exponent) - kStep;
  if (power.size() == (below ? 1U : 0U) || shift < 0 || digits[0] == '0') {
    return bad;
  }
  Words words{};
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int digit = digit_of(digits[i]);
    int bit = shift + 4 * static_cast<int>(digits.size() - 1 - i);
    if (digit < 0 || bit + static_cast<int>(std::bit_width(static_cast<unsigned>(digit))) > kMostBits) {
      return bad;
    }
    add_shifted(words, static_cast<std::uint64_t>(digit), static_cast<unsigned>(bit));
  }
  if (negative) {
    negate(words);
  }
  return ExactSum(words);
}

}  // namespace zeropoint::toolchain
