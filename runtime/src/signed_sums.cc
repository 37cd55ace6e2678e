// All weights of a program pass here when it is loaded.

#include "signed_sums.h"

#include <algorithm>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace zeropoint {
namespace {

#if defined(__SSE2__)
/// Of whole vectors: psadbw sums 8 bytes that are not negative.
SignedSums sums_of_vectors(const std::int8_t* numbers, std::size_t vectors) {
  const __m128i zero = _mm_setzero_si128();
  __m128i positive = zero;
  __m128i magnitude = zero;  // of the negative
  for (std::size_t i = 0; i < vectors; ++i) {
    __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(numbers) + i);
    __m128i is_negative = _mm_cmpgt_epi8(zero, x);
    positive = _mm_add_epi64(positive, _mm_sad_epu8(_mm_andnot_si128(is_negative, x), zero));
    // 128 stands for itself as a byte without a sign.
    magnitude =
        _mm_add_epi64(magnitude, _mm_sad_epu8(_mm_and_si128(is_negative, _mm_sub_epi8(zero, x)), zero));
  }
  alignas(16) std::int64_t halves[2][2];
  _mm_store_si128(reinterpret_cast<__m128i*>(halves[0]), positive);
  _mm_store_si128(reinterpret_cast<__m128i*>(halves[1]), magnitude);
  return {halves[0][0] + halves[0][1], -(halves[1][0] + halves[1][1])};
}
#endif

}  // namespace

SignedSums signed_sums(std::span<const std::int8_t> numbers) {
  SignedSums sums;
#if defined(__SSE2__)
  std::size_t vectors = numbers.size() / 16;
  sums = sums_of_vectors(numbers.data(), vectors);
  numbers = numbers.subspan(16 * vectors);
#endif
  constexpr std::size_t kBlock = 4096;  // whose sums fit int32
  for (std::size_t begin = 0; begin < numbers.size(); begin += kBlock) {
    std::int32_t positive = 0;
    std::int32_t all = 0;
    for (std::int8_t number : numbers.subspan(begin, std::min(kBlock, numbers.size() - begin))) {
      positive += number > 0 ? number : 0;
      all += number;
    }
    sums.positive += positive;
    sums.negative += all - positive;
  }
  return sums;
}

}  // namespace zeropoint
