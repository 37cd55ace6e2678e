#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace zeropoint::toolchain {

/// A seeded source of random numbers (xoshiro256++, Blackman and Vigna 2019) that gives the same numbers on
/// every platform: unlike the distributions of <random>, all that is derived from the bits is defined here.
/// A small value type; copies continue independently from the same state. Not for cryptography.
class Random {
 public:
  /// Everything the generator remembers; saving and restoring it resumes the sequence.
  using State = std::array<std::uint64_t, 4>;

  /// Each pair of `seed` and `stream` starts an unrelated sequence: `stream` is the place for an epoch or a
  /// sample number.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0);

  /// 64 uniformly distributed bits.
  std::uint64_t next();
  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform();
  /// Uniform in [low, high]; both ends must be finite.
  double uniform(double low, double high);
  /// Normally distributed with mean 0 and standard deviation 1.
  double normal();
  /// Uniform in [0, count), without bias. `count` must be positive.
  std::uint64_t below(std::uint64_t count);
  /// Permutes `values`; every order is equally likely.
  void shuffle(std::span<std::int64_t> values);

  [[nodiscard]] const State& state() const { return state_; }
  /// Continues where the generator that gave `state` was. All zero, which no generator gives, must not be
  /// set.
  void restore(const State& state);

 private:
  State state_;
};

}  // namespace zeropoint::toolchain
