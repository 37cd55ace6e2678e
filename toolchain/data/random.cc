#include "zeropoint/toolchain/random.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <utility>

namespace zeropoint::toolchain {
namespace {

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;

/// SplitMix64's bijective scrambler.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// The natural logarithm from +, -, * and / alone: std::log may differ in its last bit between machines.
/// log(m 2^e) = e log 2 + 2 artanh((m - 1) / (m + 1)).
double portable_log(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // [0.5, 1)
  double t = (mantissa - 1) / (mantissa + 1);  // (-1/3, 0)
  double square = t * t;
  double sum = 0;
  for (int k = 33; k >= 1; k -= 2) {
    sum = sum * square + 1.0 / k;
  }
  return exponent * 0.69314718055994530942 + 2 * t * sum;
}

}  // namespace

Random::Random(std::uint64_t seed, std::uint64_t stream) : state_{} {
  std::uint64_t counter = mix(mix(seed + kGolden) ^ stream);
  for (std::uint64_t& word : state_) {
    word = mix(counter += kGolden);
  }
}

std::uint64_t Random::next() {
  auto& [a, b, c, d] = state_;
  std::uint64_t result = std::rotl(a + d, 23) + a;
  std::uint64_t shifted = b << 17;
  c ^= a;
  d ^= b;
  b ^= c;
  a ^= d;
  c ^= shifted;
  d = std::rotl(d, 45);
  return result;
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

double Random::uniform(double low, double high) { return low + (high - low) * uniform(); }

double Random::normal() {
  // Marsaglia's polar method; its second number is dropped so that the state is the four words alone.
  while (true) {
    double u = uniform(-1, 1);
    double v = uniform(-1, 1);
    double s = u * u + v * v;
    if (s > 0 && s < 1) {
      return u * std::sqrt(-2 * portable_log(s) / s);
    }
  }
}

std::uint64_t Random::below(std::uint64_t count) {
  assert(count > 0);
  // As many bits as count - 1 has, drawn again until they are below count: two draws at most on average.
  int unused = std::min(std::countl_zero(count - 1), 63);
  while (true) {
    if (std::uint64_t value = next() >> unused; value < count) {
      return value;
    }
  }
}

void Random::shuffle(std::span<std::int64_t> values) {
  for (std::size_t left = values.size(); left > 1; --left) {
    std::swap(values[left - 1], values[below(left)]);
  }
}

void Random::restore(const State& state) {
  assert(state != State{});
  state_ = state;
}

}  // namespace zeropoint::toolchain
