#include <immintrin.h>

#include "kernels/elementwise/loops.h"
#include "kernels/elementwise/pixel_order.h"

namespace zeropoint::kernels {
namespace {

/// Quantization of 16 reals, clamped before they are rounded as in loops.h. A quotient is rounded by way of a
/// product with the inverse, which is off by less than 2^-12 between the ends of the range; only where that
/// could matter, near the middle between two integers, is it divided.
class Quantize16 {
 public:
  explicit Quantize16(const QuantizeParams& params)
      : Quantize16(params, 1 / static_cast<double>(params.scale)) {}

  /// steps(x) for x of which `inverse` makes steps.
  Quantize16(const QuantizeParams& params, double inverse)
      : scale_(_mm512_set1_ps(params.scale)),
        inverse_(_mm512_set1_ps(static_cast<float>(inverse))),
        low_(_mm512_set1_ps(static_cast<float>(std::int32_t{params.low} - params.zero_point))),
        high_(_mm512_set1_ps(static_cast<float>(std::int32_t{params.high} - params.zero_point))),
        sure_(_mm512_set1_ps(inverse > 0x1p-100 && inverse < 0x1p100 ? 0.499F : -1.0F)),
        zero_point_(_mm512_set1_epi32(params.zero_point)) {}

  __m128i operator()(__m512 x) const {
    return steps(x, [&] { return x; });
  }

  /// Of x times the inverse; real() is what is to be divided by the scale.
  template <typename Real>
  __m128i steps(__m512 x, Real&& real) const {
    __m512 scaled = clamped(_mm512_mul_ps(x, inverse_));
    __m512i rounded = _mm512_cvtps_epi32(scaled);
    __m512 distance = _mm512_abs_ps(_mm512_sub_ps(scaled, _mm512_cvtepi32_ps(rounded)));
    if (_mm512_cmp_ps_mask(distance, sure_, _CMP_GT_OQ) != 0) {
      rounded = _mm512_cvtps_epi32(clamped(_mm512_div_ps(real(), scale_)));
    }
    return _mm512_cvtepi32_epi8(_mm512_add_epi32(rounded, zero_point_));
  }

 private:
  __m512 clamped(__m512 x) const {
    x = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), x);  // 0 for NaN
    return _mm512_min_ps(_mm512_max_ps(x, low_), high_);
  }

  __m512 scale_, inverse_, low_, high_, sure_;
  __m512i zero_point_;
};

__mmask16 first_lanes(std::int64_t count) {
  return count >= 16 ? __mmask16{0xFFFF} : static_cast<__mmask16>((1U << count) - 1);
}

void quantize_rows_16(const float* in, std::uint8_t* out, std::int64_t rows, std::ptrdiff_t row,
                      std::int64_t count, const QuantizeParams& params) {
  Quantize16 quantize(params);
  for (; rows > 0; --rows, in += count, out += row) {
    for (std::int64_t i = 0; i < count; i += 16) {
      __mmask16 mask = first_lanes(count - i);
      _mm_mask_storeu_epi8(out + i, mask, quantize(_mm512_maskz_loadu_ps(mask, in + i)));
    }
  }
}

void quantize_16(const float* in, std::uint8_t* out, std::int64_t count, const QuantizeParams& params) {
  quantize_rows_16(in, out, 1, 0, count, params);
}

void quantize_three_16(const float* in, std::ptrdiff_t plane, std::uint8_t* out, std::int64_t count,
                       const QuantizeParams& params) {
  Quantize16 quantize(params);
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    __m128i planes[3];
    for (int p = 0; p < 3; ++p) {
      planes[p] = quantize(_mm512_loadu_ps(in + p * plane + i));
    }
    for (int vector = 0; vector < 3; ++vector) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * i) + vector, pixels_of(planes, vector));
    }
  }
  if (i == count) {
    return;
  }
  __mmask16 mask = first_lanes(count - i);
  __m128i planes[3];
  for (int p = 0; p < 3; ++p) {
    planes[p] = quantize(_mm512_maskz_loadu_ps(mask, in + p * plane + i));
  }
  for (int vector = 0; vector < 3; ++vector) {
    std::int64_t left = 3 * (count - i) - 16 * vector;
    if (left > 0) {
      _mm_mask_storeu_epi8(out + 3 * i + 16 * vector, first_lanes(left), pixels_of(planes, vector));
    }
  }
}

/// 64 channels at a time, of fewer those that there are.
void maximum_of_pixels_64(const MaximumParams& params) {
  const MaximumParams p = params;
  for (std::int64_t c = 0; c < p.channels; c += 64) {
    std::int64_t count = std::min<std::int64_t>(64, p.channels - c);
    __mmask64 mask = ~std::uint64_t{0} >> (64 - count);
    const std::uint8_t* in = p.input + c;
    std::uint8_t* out = p.output + c;
    for (std::int64_t x = 0; x < p.positions; ++x, in += p.step, out += p.output_step) {
      __m512i largest = _mm512_maskz_loadu_epi8(mask, in);
      for (std::int64_t t = 1; t < p.taps; ++t) {
        largest = _mm512_max_epu8(largest, _mm512_maskz_loadu_epi8(mask, in + t * p.tap_step));
      }
      _mm512_mask_storeu_epi8(out, mask, largest);
    }
  }
}

/// 64 columns at a time, whose sums stay in registers.
void accumulate_64(const std::uint8_t* in, std::ptrdiff_t step, std::int64_t rows, std::int32_t* sums,
                   std::int64_t count) {
  constexpr int kVectors = 4;
  for (std::int64_t c = 0; c < count; c += kVectors * 16) {
    __mmask16 masks[kVectors];
    __m512i totals[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      std::int64_t left = count - c - v * 16;
      masks[v] = left > 0 ? first_lanes(left) : __mmask16{0};
      totals[v] = _mm512_maskz_loadu_epi32(masks[v], sums + c + v * 16);
    }
    for (std::int64_t r = 0; r < rows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        __m128i bytes = _mm_maskz_loadu_epi8(masks[v], in + r * step + c + v * 16);
        totals[v] = _mm512_add_epi32(totals[v], _mm512_cvtepu8_epi32(bytes));
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      _mm512_mask_storeu_epi32(sums + c + v * 16, masks[v], totals[v]);
    }
  }
}

/// A table of 256 bytes in registers, as words of two entries.
class Table {
 public:
  explicit Table(const std::uint8_t* table) {
    for (int i = 0; i < 4; ++i) {
      words_[i] = _mm512_loadu_si512(table + 64 * i);
    }
  }

  __m512i operator()(__m512i bytes) const {
    __m512i even = entries(_mm512_and_si512(bytes, _mm512_set1_epi16(0xFF)));
    __m512i odd = entries(_mm512_srli_epi16(bytes, 8));
    return _mm512_mask_blend_epi8(0xAAAAAAAAAAAAAAAA, even, _mm512_slli_epi16(odd, 8));
  }

 private:
  /// In the low byte of each word the entry of its index.
  __m512i entries(__m512i indices) const {
    __m512i word = _mm512_srli_epi16(indices, 1);
    __m512i low = _mm512_permutex2var_epi16(words_[0], word, words_[1]);
    __m512i high = _mm512_permutex2var_epi16(words_[2], word, words_[3]);
    __mmask32 upper = _mm512_test_epi16_mask(indices, _mm512_set1_epi16(0x80));
    __m512i both = _mm512_mask_blend_epi16(upper, low, high);
    __m512i shift = _mm512_slli_epi16(_mm512_and_si512(indices, _mm512_set1_epi16(1)), 3);
    return _mm512_srlv_epi16(both, shift);
  }

  __m512i words_[4];
};

void look_up_64(const std::uint8_t* in, std::uint8_t* out, std::int64_t count, const std::uint8_t* table) {
  if (count < 64) {
    return look_up(in, out, count, table);
  }
  Table entries(table);
  std::int64_t i = 0;
  for (; i + 64 <= count; i += 64) {
    _mm512_storeu_si512(out + i, entries(_mm512_loadu_si512(in + i)));
  }
  if (i < count) {
    __mmask64 mask = (std::uint64_t{1} << (count - i)) - 1;
    _mm512_mask_storeu_epi8(out + i, mask, entries(_mm512_maskz_loadu_epi8(mask, in + i)));
  }
}

void softmax_16(const std::uint8_t* in, std::uint8_t* out, std::int64_t count, const SoftmaxParams& params) {
  std::uint8_t largest = largest_of(in, count);
  auto exponentials = [&](std::int64_t i, __mmask16 mask) {
    __m512i bytes = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, in + i));
    __m512i distance = _mm512_sub_epi32(_mm512_set1_epi32(largest), bytes);
    return _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), mask, distance, params.exponentials, 4);
  };
  constexpr std::int64_t kKept = 1024;  // of a row, and looked up again of longer ones
  alignas(64) std::int32_t kept[kKept];
  bool keeps = count <= kKept;
  __m512i sums = _mm512_setzero_si512();
  for (std::int64_t i = 0; i < count; i += 16) {
    __m512i e = exponentials(i, first_lanes(count - i));
    sums = _mm512_add_epi64(sums, _mm512_cvtepi32_epi64(_mm512_castsi512_si256(e)));
    sums = _mm512_add_epi64(sums, _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(e, 1)));
    if (keeps) {
      _mm512_store_si512(kept + i, e);
    }
  }
  auto total = static_cast<double>(_mm512_reduce_add_epi64(sums));
  Quantize16 quantize(params.to, 1 / (total * static_cast<double>(params.to.scale)));
  for (std::int64_t i = 0; i < count; i += 16) {
    __mmask16 mask = first_lanes(count - i);
    __m512i e = keeps ? _mm512_load_si512(kept + i) : exponentials(i, mask);
    auto quotients = [&](__m256i half) {
      return _mm512_cvtpd_ps(_mm512_div_pd(_mm512_cvtepi32_pd(half), _mm512_set1_pd(total)));
    };
    __m128i bytes = quantize.steps(_mm512_cvtepi32_ps(e), [&] {
      return _mm512_insertf32x8(_mm512_castps256_ps512(quotients(_mm512_castsi512_si256(e))),
                                quotients(_mm512_extracti64x4_epi64(e, 1)), 1);
    });
    _mm_mask_storeu_epi8(out + i, mask, bytes);
  }
}

}  // namespace

extern const ElementwiseKernels elementwise_avx512vnni;
constexpr ElementwiseKernels elementwise_avx512vnni = [] {
  ElementwiseKernels kernels = all_loops("elementwise_avx512vnni", Isa::kAvx512Vnni);
  kernels.quantize = quantize_16;
  kernels.quantize_rows = quantize_rows_16;
  kernels.accumulate = accumulate_64;
  kernels.quantize_three = quantize_three_16;
  kernels.maximum_of_pixels = maximum_of_pixels_64;
  kernels.look_up = look_up_64;
  kernels.softmax = softmax_16;
  kernels.normalize = normalize<quantize_16>;
  return kernels;
}();

}  // namespace zeropoint::kernels
