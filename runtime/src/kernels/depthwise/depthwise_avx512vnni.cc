// Rows of the input are brought four by four into scratch memory, a byte of each side by side: there vpdpbusd
// finds what a column of the window takes of a channel in one lane, for a row of output and for the one
// below.

#include <immintrin.h>

#include <algorithm>

#include "kernels/depthwise/depthwise.h"
#include "kernels/epilogue_avx512.h"

namespace zeropoint::kernels {
namespace {

constexpr std::int64_t kVector = 16;      // channels
constexpr std::int64_t kNear = 24 << 10;  // bytes of scratch memory that leave room in the first cache

/// Vectors of four rows. Unless they are brought to their order, lane L of vector j has the bytes from
/// 16 L + 4 j on.
template <int kVectors, bool kInOrder>
inline void interleave(const std::uint8_t* const (&rows)[4], std::ptrdiff_t at, std::uint8_t* to) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  auto load = [&](int r) {
    __m512i x = _mm512_loadu_si512(rows[r] + at);
    return kInOrder ? _mm512_permutexvar_epi32(order, x) : x;
  };
  __m512i a = load(0);
  __m512i b = load(1);
  __m512i c = load(2);
  __m512i d = load(3);
  __m512i ab_low = _mm512_unpacklo_epi8(a, b);
  __m512i ab_high = _mm512_unpackhi_epi8(a, b);
  __m512i cd_low = _mm512_unpacklo_epi8(c, d);
  __m512i cd_high = _mm512_unpackhi_epi8(c, d);
  _mm512_store_si512(to, _mm512_unpacklo_epi16(ab_low, cd_low));
  _mm512_store_si512(to + 64, _mm512_unpackhi_epi16(ab_low, cd_low));
  _mm512_store_si512(to + 128, _mm512_unpacklo_epi16(ab_high, cd_high));
  if constexpr (kVectors == 4) {
    _mm512_store_si512(to + 192, _mm512_unpackhi_epi16(ab_high, cd_high));
  }
}

/// The window, in pixels.
struct Window {
  std::int64_t stride;
  std::int64_t dilation;
  std::int64_t span;  ///< columns
  std::int64_t height;
  std::int64_t quads;
  std::ptrdiff_t pitch;  ///< from row to row

  explicit Window(const DepthwiseParams& p)
      : stride(p.input_step / p.pixel),
        dilation(p.window_width > 1 ? (p.taps[1] - p.taps[0]) / p.pixel : 1),
        span((p.window_width - 1) * dilation + 1),
        height(p.tap_count / p.window_width),
        quads(height / 4 + 1),
        pitch(height > 1 ? p.taps[p.window_width] - p.taps[0] : 0) {}

  /// Positions for which there is room, `width` channels of each pixel being brought to the scratch memory.
  [[nodiscard]] std::int64_t most(std::int64_t width) const {
    return (kNear / (4 * width * quads) - span) / stride + 1;
  }
};

/// Outputs with the same channels: of a position each, or of several that repeat them.
template <int kVectors>
struct Stretch {
  const std::uint8_t* from[kVectors];  ///< in the scratch memory, of each vector
  std::ptrdiff_t from_step;
  std::ptrdiff_t column;  ///< from one of the window to the next
  std::uint8_t* to;
  std::ptrdiff_t to_step;
  std::int64_t count;
  std::int64_t bytes;  ///< to store of each
  std::int64_t last_bytes;
  std::int64_t vector;  ///< the first, of weights, bias and multipliers
};

inline __mmask64 first_bytes(std::int64_t count) { return ~std::uint64_t{0} >> (64 - count); }

class Band {
 public:
  explicit Band(const DepthwiseParams& p) : p_(p), window_(p), epilogue_(*p.epilogue) {}

  void run() {
    constexpr std::int64_t kFew = 4;
    DepthwiseGroups groups(p_.channels);
    bool repeats = groups.repeats && p_.pixel == p_.channels && p_.output_step == p_.channels &&
                   (window_.stride == 1 || p_.channels % kVector == 0) && window_.most(p_.channels) >= kFew;
    // Rows that stay in the second cache meet a group of channels before the next group is taken.
    constexpr std::int64_t kSecond = 256 << 10;
    std::int64_t row_bytes = std::max<std::int64_t>(1, p_.positions * p_.input_step);
    std::int64_t rows = repeats ? 2 : std::max<std::int64_t>(2, kSecond / row_bytes / 2 * 2);
    for (std::int64_t first = 0; first < p_.rows; first += rows) {
      std::int64_t end = std::min(p_.rows, first + rows);
      if (repeats) {
        in_pairs(first, end, [&] {
          in_pieces(p_.channels, [&](std::int64_t begin, std::int64_t count) { dense(begin, count); });
        });
        continue;
      }
      std::int64_t vector = 0;
      for (; vector < groups.fours * 4; vector += 4) {
        in_pairs(first, end, [&] { group<4, false>(vector); });
      }
      for (; vector < groups.vectors; vector += 3) {
        std::int64_t last = std::max<std::int64_t>(0, std::min(vector, groups.vectors - 3));
        in_pairs(first, end, [&] { group<3, true>(last); });
      }
    }
  }

 private:
  /// Calls function() for two rows of output at a time where they are neighbours in the input, else for one.
  template <typename Function>
  void in_pairs(std::int64_t first, std::int64_t end, Function&& function) {
    for (std::int64_t row = first; row < end; row += rows_) {
      rows_ = p_.input_row == window_.pitch ? std::min<std::int64_t>(2, end - row) : 1;
      input_ = p_.input + row * p_.input_row;
      output_ = p_.output + row * p_.output_row;
      function();
    }
  }

  /// Calls function(begin, count) for as many positions at a time as there is room for.
  template <typename Function>
  void in_pieces(std::int64_t width, Function&& function) {
    std::int64_t most = std::max<std::int64_t>(1, window_.most(width));
    std::int64_t pieces = (p_.positions + most - 1) / most;
    for (std::int64_t i = 0; i < pieces; ++i) {
      std::int64_t begin = p_.positions * i / pieces;
      function(begin, p_.positions * (i + 1) / pieces - begin);
    }
  }

  /// Channels of each pixel by itself.
  template <int kVectors, bool kInOrder>
  void group(std::int64_t vector) {
    constexpr std::int64_t kWidth = kVectors * kVector;
    std::int64_t first = vector * kVector;
    in_pieces(kWidth, [&](std::int64_t begin, std::int64_t count) {
      fill<kVectors, kInOrder>(first, begin, (count - 1) * window_.stride + window_.span, p_.pixel);
      Stretch<kVectors> stretch;
      for (int v = 0; v < kVectors; ++v) {
        stretch.from[v] = scratch_ + std::ptrdiff_t{64} * v;
      }
      stretch.from_step = window_.stride * 4 * kWidth;
      stretch.column = window_.dilation * 4 * kWidth;
      stretch.to = output_ + begin * p_.output_step + first;
      stretch.to_step = p_.output_step;
      stretch.count = count;
      stretch.bytes = std::min(kWidth, p_.channels - first);
      stretch.last_bytes = stretch.bytes;
      stretch.vector = vector;
      compute<kVectors, kInOrder>(stretch);
    });
  }

  /// All channels of neighbouring pixels, one after the other.
  void dense(std::int64_t begin, std::int64_t count) {
    constexpr std::int64_t kBlock = 64;
    std::int64_t pixels = (count - 1) * window_.stride + window_.span;
    fill<4, true>(0, begin, (pixels * p_.channels + kBlock - 1) / kBlock, kBlock);
    std::int64_t size = count * p_.channels;
    std::int64_t period = p_.blocks * kBlock;
    for (std::int64_t at = 0; at < period && at < size; at += kBlock) {
      Stretch<4> stretch;
      for (int v = 0; v < 4; ++v) {
        std::int64_t element = at + v * kVector;
        // Without a stride, a vector may have elements of several positions.
        std::int64_t skipped = element / p_.channels * (window_.stride - 1) * p_.channels;
        stretch.from[v] = scratch_ + 4 * (element + skipped);
      }
      stretch.from_step = window_.stride * 4 * period;
      stretch.column = window_.dilation * 4 * p_.channels;
      stretch.to = output_ + begin * p_.channels + at;
      stretch.to_step = period;
      stretch.count = (size - at + period - 1) / period;
      stretch.bytes = kBlock;
      stretch.last_bytes = std::min(kBlock, size - at - (stretch.count - 1) * period);
      stretch.vector = at / kVector;
      compute<4, true>(stretch);
    }
  }

  /// Brings stretches of the rows, `step` apart from position `begin` on, to the scratch memory.
  template <int kVectors, bool kInOrder>
  void fill(std::int64_t first, std::int64_t begin, std::int64_t count, std::ptrdiff_t step) {
    plane_ = (count + 1) * kVectors * 64;
    for (std::int64_t quad = 0; quad < window_.quads; ++quad) {
      const std::uint8_t* rows[4];
      for (std::int64_t r = 0; r < 4; ++r) {
        // Where there is no row, the weights are 0.
        std::int64_t y = quad * 4 + r < window_.height + rows_ - 1 ? quad * 4 + r : 0;
        rows[r] = input_ + begin * p_.input_step + p_.taps[0] + y * window_.pitch + first;
      }
      std::uint8_t* to = scratch_ + quad * plane_;
      for (std::int64_t i = 0; i < count; ++i) {
        interleave<kVectors, kInOrder>(rows, i * step, to + i * kVectors * 64);
      }
    }
  }

  template <int kVectors, bool kInOrder>
  void compute(const Stretch<kVectors>& stretch) {
    std::int64_t of_row = window_.quads * p_.window_width * 64;
    for (std::int64_t row = 0; row < rows_; ++row) {
      const std::int8_t* weights = p_.weights + (stretch.vector * 2 + row) * of_row;
      if (p_.window_width == 3 && window_.quads == 1) {
        by_three_columns<kVectors, kInOrder>(stretch, row, weights);
      } else {
        by_columns<kVectors, kInOrder>(stretch, row, weights);
      }
    }
  }

  /// Most windows: the weights stay in registers.
  template <int kVectors, bool kInOrder>
  void by_three_columns(const Stretch<kVectors>& stretch, std::int64_t row, const std::int8_t* weights) {
    __m512i w[3][kVectors];
    const std::uint8_t* from[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      from[v] = stretch.from[v];
      for (int x = 0; x < 3; ++x) {
        w[x][v] = _mm512_load_si512(weights + std::ptrdiff_t{64} * (v * 2 * 3 + x));
      }
    }
    std::ptrdiff_t column = stretch.column;
    std::ptrdiff_t step = stretch.from_step;
    finish_each<kVectors, kInOrder>(stretch, row, [&](std::int64_t i, __m512i(&sums)[kVectors]) {
      for (int x = 0; x < 3; ++x) {
        for (int v = 0; v < kVectors; ++v) {
          __m512i bytes = _mm512_loadu_si512(from[v] + i * step + x * column);
          sums[v] = _mm512_dpbusd_epi32(sums[v], bytes, w[x][v]);
        }
      }
    });
  }

  template <int kVectors, bool kInOrder>
  void by_columns(const Stretch<kVectors>& stretch, std::int64_t row, const std::int8_t* weights) {
    std::int64_t of_row = window_.quads * p_.window_width * 64;
    finish_each<kVectors, kInOrder>(stretch, row, [&](std::int64_t i, __m512i(&sums)[kVectors]) {
      const std::int8_t* w = weights;
      for (std::int64_t quad = 0; quad < window_.quads; ++quad) {
        std::ptrdiff_t at = i * stretch.from_step + quad * plane_;
        for (std::int64_t x = 0; x < p_.window_width; ++x, at += stretch.column, w += 64) {
          for (int v = 0; v < kVectors; ++v) {
            sums[v] = _mm512_dpbusd_epi32(sums[v], _mm512_loadu_si512(stretch.from[v] + at),
                                          _mm512_load_si512(w + 2 * of_row * v));
          }
        }
      }
    });
  }

  /// add(i, sums) adds the products to the sums of output i.
  template <int kVectors, bool kInOrder, typename Add>
  void finish_each(const Stretch<kVectors>& stretch, std::int64_t row, Add&& add) {
    const WideEpilogue epilogue = epilogue_;  // a copy, which what is written cannot change
    __m512i bias[kVectors];
    __m512 multipliers[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      bias[v] = _mm512_load_si512(p_.epilogue->bias + (stretch.vector + v) * kVector);
      multipliers[v] = _mm512_load_ps(p_.epilogue->multipliers + (stretch.vector + v) * kVector);
    }
    __mmask64 mask = first_bytes(stretch.bytes);
    std::uint8_t* to = stretch.to + row * p_.output_row;
    for (std::int64_t i = 0; i < stretch.count; ++i) {
      __m512i sums[kVectors];
      std::copy_n(bias, kVectors, sums);
      add(i, sums);
      for (int v = 0; v < kVectors; ++v) {
        sums[v] = WideEpilogue::requantized(sums[v], multipliers[v]);
      }
      __m512i last = sums[kVectors - 1];
      __m512i bytes = kInOrder ? epilogue.in_order(sums[0], sums[1], sums[2], last)
                               : epilogue.narrowed(sums[0], sums[1], sums[2], last);
      if (i + 1 == stretch.count) {
        mask = first_bytes(stretch.last_bytes);
      }
      _mm512_mask_storeu_epi8(to + i * stretch.to_step, mask, bytes);
    }
  }

  const DepthwiseParams& p_;
  const Window window_;
  const WideEpilogue epilogue_;
  std::ptrdiff_t plane_ = 0;  // of the scratch memory: a quad of rows
  // What is computed now.
  std::int64_t rows_ = 1;
  const std::uint8_t* input_ = nullptr;
  std::uint8_t* output_ = nullptr;
  alignas(64) std::uint8_t scratch_[kDepthwiseScratch];
};

}  // namespace

void depthwise_u8s8_s32_2x64_avx512vnni(const DepthwiseParams& p);
void depthwise_u8s8_s32_2x64_avx512vnni(const DepthwiseParams& p) { Band(p).run(); }

}  // namespace zeropoint::kernels
