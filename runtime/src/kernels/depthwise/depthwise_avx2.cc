// 16 channels of some positions at a time: bytes of two taps are interleaved and widened, so that vpmaddwd
// sums their products exactly.

#include <immintrin.h>

#include <algorithm>

#include "kernels/depthwise/depthwise.h"
#include "kernels/epilogue_256.h"

namespace zeropoint::kernels {
namespace {

constexpr std::int64_t kBlock = 64;  // of packed channels
constexpr std::int64_t kChannels = 16;

inline __m128i load_16(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }

/// The numbers of 16 channels, in two vectors.
struct Channels {
  __m256i bias[2];
  __m256 multipliers[2];
  std::int64_t count;  ///< of those that are there

  Channels(const DepthwiseParams& p, std::int64_t first) : count(std::min(kChannels, p.channels - first)) {
    for (int h = 0; h < 2; ++h) {
      bias[h] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p.epilogue->bias + first + h * 8));
      multipliers[h] = _mm256_loadu_ps(p.epilogue->multipliers + first + h * 8);
    }
  }

  /// The bytes of the sums of two positions.
  [[nodiscard]] __m256i bytes(const Epilogue256& epilogue, const __m256i (&a)[2],
                              const __m256i (&b)[2]) const {
    return epilogue.bytes(
        {Epilogue256::requantized(a[0], multipliers[0]), Epilogue256::requantized(a[1], multipliers[1]),
         Epilogue256::requantized(b[0], multipliers[0]), Epilogue256::requantized(b[1], multipliers[1])});
  }
};

/// Of 16 channels the bytes or weights of two taps side by side, as int16.
struct Pairs {
  __m256i half[2];

  static Pairs of_bytes(__m128i a, __m128i b) {
    return {{_mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b)), _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b))}};
  }
  static Pairs of_weights(__m128i a, __m128i b) {
    return {{_mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b)), _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(a, b))}};
  }

  void multiply(const Pairs& weights, __m256i (&sums)[2]) const {
    for (int h = 0; h < 2; ++h) {
      sums[h] = _mm256_add_epi32(sums[h], _mm256_madd_epi16(half[h], weights.half[h]));
    }
  }
};

/// The bytes of positions x and, where it is there, x + 1.
inline void store_two(const DepthwiseParams& p, std::int64_t x, std::int64_t first, std::int64_t count,
                      __m256i bytes) {
  std::uint8_t* to = p.output + x * p.output_step + first;
  if (x < p.positions) {
    store_bytes(to, _mm256_castsi256_si128(bytes), count);
  }
  if (x + 1 < p.positions) {
    store_bytes(to + p.output_step, _mm256_extracti128_si256(bytes, 1), count);
  }
}

/// Four positions at a time, the taps two by two.
void run_taps(const DepthwiseParams& p, const Epilogue256& epilogue, std::int64_t first) {
  Channels channels(p, first);
  const std::int8_t* weights = p.weights + first / kBlock * kBlock * p.tap_count + first % kBlock;
  for (std::int64_t x = 0; x < p.positions; x += 4) {
    const std::uint8_t* in[4];
    __m256i sums[4][2];
    for (int i = 0; i < 4; ++i) {
      in[i] = p.input + std::min(x + i, p.positions - 1) * p.input_step + first;
      sums[i][0] = channels.bias[0];
      sums[i][1] = channels.bias[1];
    }
    for (std::int64_t t = 0; t < p.tap_count; t += 2) {
      bool two = t + 1 < p.tap_count;
      Pairs w = Pairs::of_weights(load_16(weights + t * kBlock),
                                  two ? load_16(weights + (t + 1) * kBlock) : _mm_setzero_si128());
      std::ptrdiff_t tap = p.taps[t];
      std::ptrdiff_t next = p.taps[two ? t + 1 : t];
      for (int i = 0; i < 4; ++i) {
        Pairs::of_bytes(load_16(in[i] + tap), load_16(in[i] + next)).multiply(w, sums[i]);
      }
    }
    for (int i = 0; i < 4; i += 2) {
      store_two(p, x + i, first, channels.count, channels.bytes(epilogue, sums[i], sums[i + 1]));
    }
  }
}

/// Whether the taps are three by three and neighbouring positions share their columns.
bool shares_columns(const DepthwiseParams& p) {
  bool shares = p.tap_count == 9;
  for (int t = 0; t < 9 && shares; ++t) {
    shares = p.taps[t] == p.taps[t / 3 * 3] + t % 3 * p.input_step;
  }
  return shares;
}

/// Two columns at a time: what is widened of them serves all positions whose windows they are in. A column's
/// first two rows are a pair, and so are both columns' third rows.
void run_columns(const DepthwiseParams& p, const Epilogue256& epilogue, std::int64_t first) {
  Channels channels(p, first);
  const std::int8_t* weights = p.weights + first / kBlock * kBlock * p.tap_count + first % kBlock;
  auto weight = [&](int t) { return load_16(weights + t * kBlock); };
  const __m128i none = _mm_setzero_si128();
  const Pairs upper[3] = {Pairs::of_weights(weight(0), weight(3)), Pairs::of_weights(weight(1), weight(4)),
                          Pairs::of_weights(weight(2), weight(5))};
  const Pairs third[4] = {Pairs::of_weights(weight(8), none), Pairs::of_weights(weight(7), weight(8)),
                          Pairs::of_weights(weight(6), weight(7)), Pairs::of_weights(none, weight(6))};
  const std::uint8_t* rows[3];
  for (int r = 0; r < 3; ++r) {
    rows[r] = p.input + p.taps[3 * r] + first;
  }
  // The positions that end with these columns, and those that begin.
  __m256i ending[2][2] = {};
  for (std::int64_t x = 0; x < p.positions + 2; x += 2) {
    __m256i beginning[2][2] = {{channels.bias[0], channels.bias[1]}, {channels.bias[0], channels.bias[1]}};
    std::ptrdiff_t left = x * p.input_step;
    std::ptrdiff_t right = std::min(x + 1, p.positions + 1) * p.input_step;
    Pairs column = Pairs::of_bytes(load_16(rows[0] + left), load_16(rows[1] + left));
    column.multiply(upper[2], ending[0]);
    column.multiply(upper[1], ending[1]);
    column.multiply(upper[0], beginning[0]);
    column = Pairs::of_bytes(load_16(rows[0] + right), load_16(rows[1] + right));
    column.multiply(upper[2], ending[1]);
    column.multiply(upper[1], beginning[0]);
    column.multiply(upper[0], beginning[1]);
    Pairs both = Pairs::of_bytes(load_16(rows[2] + left), load_16(rows[2] + right));
    both.multiply(third[0], ending[0]);
    both.multiply(third[1], ending[1]);
    both.multiply(third[2], beginning[0]);
    both.multiply(third[3], beginning[1]);
    if (x > 0) {
      store_two(p, x - 2, first, channels.count, channels.bytes(epilogue, ending[0], ending[1]));
    }
    for (int h = 0; h < 2; ++h) {
      ending[0][h] = beginning[0][h];
      ending[1][h] = beginning[1][h];
    }
  }
}

}  // namespace

void depthwise_u8s8_s32_16_avx2(const DepthwiseParams& p);
void depthwise_u8s8_s32_16_avx2(const DepthwiseParams& p) {
  Epilogue256 epilogue(*p.epilogue);
  auto* run = shares_columns(p) ? run_columns : run_taps;
  for (std::int64_t first = 0; first < p.channels; first += kChannels) {
    run(p, epilogue, first);
  }
}

}  // namespace zeropoint::kernels
