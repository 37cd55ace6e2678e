// 16 channels of up to 4 positions at a time: bytes of two taps are widened and interleaved, so that
// vpmaddwd sums their products exactly.

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "kernels/depthwise/depthwise.h"

namespace zeropoint::kernels {
namespace {

constexpr std::int64_t kBlock = 64;  // of packed channels
constexpr std::int64_t kChannels = 16;

inline __m128i load_16(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
inline __m256i load_8(const std::int32_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

/// The halves of 16 lanes of 32 bits as interleaving leaves them: 0 to 3 and 8 to 11, 4 to 7 and 12 to 15.
struct Halves {
  __m256i low, high;

  Halves() = default;
  Halves(__m256i first, __m256i second)
      : low(_mm256_permute2x128_si256(first, second, 0x20)),
        high(_mm256_permute2x128_si256(first, second, 0x31)) {}
};

/// What is the same for all positions.
struct Ending {
  Halves bias, multipliers;
  __m256i shift, low, high;

  Ending(const Epilogue& e, std::int64_t channel)
      : bias(load_8(e.bias + channel), load_8(e.bias + channel + 8)),
        multipliers(_mm256_castps_si256(_mm256_loadu_ps(e.multipliers + channel)),
                    _mm256_castps_si256(_mm256_loadu_ps(e.multipliers + channel + 8))),
        shift(_mm256_set1_epi16(static_cast<short>(e.zero_point))),
        low(_mm256_set1_epi8(static_cast<char>(e.low))),
        high(_mm256_set1_epi8(static_cast<char>(e.high))) {}

  [[nodiscard]] __m128i bytes(const Halves& sums) const {
    auto rounded = [](__m256i sum, __m256i multiplier) {
      return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_castsi256_ps(multiplier)));
    };
    __m256i words =
        _mm256_packs_epi32(rounded(sums.low, multipliers.low), rounded(sums.high, multipliers.high));
    words = _mm256_adds_epi16(words, shift);
    __m256i twice = _mm256_packus_epi16(words, words);
    twice = _mm256_min_epu8(_mm256_max_epu8(twice, low), high);
    return _mm256_castsi256_si128(_mm256_permute4x64_epi64(twice, 0x08));
  }
};

/// `weights` of the 16 channels, taps kBlock bytes apart; `input` and `output` of the first position.
template <int kPositions>
void run_positions(const DepthwiseParams& p, const Ending& ending, const std::int8_t* weights,
                   const std::uint8_t* input, std::uint8_t* output, std::int64_t count) {
  Halves sums[kPositions];
  for (Halves& sum : sums) {
    sum = ending.bias;
  }
  for (std::int64_t t = 0; t < p.tap_count; t += 2) {
    bool two = t + 1 < p.tap_count;
    __m256i w0 = _mm256_cvtepi8_epi16(load_16(weights + t * kBlock));
    __m256i w1 = two ? _mm256_cvtepi8_epi16(load_16(weights + (t + 1) * kBlock)) : _mm256_setzero_si256();
    __m256i w_low = _mm256_unpacklo_epi16(w0, w1);
    __m256i w_high = _mm256_unpackhi_epi16(w0, w1);
    const std::uint8_t* first = input + p.taps[t];
    const std::uint8_t* second = input + p.taps[two ? t + 1 : t];
    for (int i = 0; i < kPositions; ++i) {
      __m256i x0 = _mm256_cvtepu8_epi16(load_16(first + i * p.input_step));
      __m256i x1 = _mm256_cvtepu8_epi16(load_16(second + i * p.input_step));
      sums[i].low = _mm256_add_epi32(sums[i].low, _mm256_madd_epi16(_mm256_unpacklo_epi16(x0, x1), w_low));
      sums[i].high = _mm256_add_epi32(sums[i].high, _mm256_madd_epi16(_mm256_unpackhi_epi16(x0, x1), w_high));
    }
  }
  for (int i = 0; i < kPositions; ++i) {
    __m128i bytes = ending.bytes(sums[i]);
    if (count == kChannels) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(output + i * p.output_step), bytes);
    } else {
      alignas(16) std::uint8_t all[kChannels];
      _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
      std::memcpy(output + i * p.output_step, all, static_cast<std::size_t>(count));
    }
  }
}

}  // namespace

void depthwise_u8s8_s32_16_avx2(const DepthwiseParams& p);
void depthwise_u8s8_s32_16_avx2(const DepthwiseParams& p) {
  constexpr std::int64_t kAtOnce = 4;
  for (std::int64_t c = 0; c < p.channels; c += kChannels) {
    Ending ending(*p.epilogue, c);
    const std::int8_t* weights = p.weights + c / kBlock * kBlock * p.tap_count + c % kBlock;
    std::int64_t count = std::min(kChannels, p.channels - c);
    std::int64_t x = 0;
    for (; x + kAtOnce <= p.positions; x += kAtOnce) {
      run_positions<kAtOnce>(p, ending, weights, p.input + x * p.input_step + c,
                             p.output + x * p.output_step + c, count);
    }
    for (; x < p.positions; ++x) {
      run_positions<1>(p, ending, weights, p.input + x * p.input_step + c, p.output + x * p.output_step + c,
                       count);
    }
  }
}

}  // namespace zeropoint::kernels
