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
      bias[h] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p.epilogue->bias + first + h * kLanes));
      multipliers[h] = _mm256_loadu_ps(p.epilogue->multipliers + first + h * kLanes);
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

/// The bytes of positions x and x + 1, as far as they are there.
inline void store_two(const DepthwiseParams& p, std::int64_t x, std::int64_t first, std::int64_t count,
                      __m256i bytes) {
  std::uint8_t* to = p.output + x * p.output_step + first;
  if (x >= 0 && x < p.positions) {
    store_bytes(to, _mm256_castsi256_si128(bytes), count);
  }
  if (x >= -1 && x + 1 < p.positions) {
    store_bytes(to + p.output_step, _mm256_extracti128_si256(bytes, 1), count);
  }
}

/// Four positions at a time, the taps two by two.
void run_taps(const DepthwiseParams& p, const Epilogue256& epilogue, std::int64_t first,
              const Channels& channels) {
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

/// Whether the taps are three by three and neighbouring positions, `stride` columns apart, share them.
bool shares_columns(const DepthwiseParams& p, std::int64_t stride) {
  bool shares = p.tap_count == 9 && p.input_step % stride == 0;
  for (std::ptrdiff_t t = 0; t < 9 && shares; ++t) {
    shares = p.taps[t] == p.taps[t / 3 * 3] + t % 3 * (p.input_step / stride);
  }
  return shares;
}

/// 3 x 3 windows. What is widened of two columns serves all positions whose windows they are in: of each its
/// first two rows, which are a pair, and of both the third rows.
class Columns {
 public:
  Columns(const DepthwiseParams& p, std::int64_t first, std::int64_t stride)
      : step_(p.input_step / stride), last_((p.positions - 1) * stride + 2) {
    const std::int8_t* weights = p.weights + first / kBlock * kBlock * p.tap_count + first % kBlock;
    auto weight = [&](std::int64_t t) { return load_16(weights + t * kBlock); };
    for (std::ptrdiff_t i = 0; i < 3; ++i) {
      upper_weights_[i] = Pairs::of_weights(weight(i), weight(i + 3));
    }
    third_weights_[0] = Pairs::of_weights(weight(8), _mm_setzero_si128());
    third_weights_[1] = Pairs::of_weights(weight(7), weight(8));
    third_weights_[2] = Pairs::of_weights(weight(6), weight(7));
    third_weights_[3] = Pairs::of_weights(_mm_setzero_si128(), weight(6));
  }

  void begin_row(const DepthwiseParams& p, std::int64_t first) {
    for (std::ptrdiff_t i = 0; i < 3; ++i) {
      rows_[i] = p.input + p.taps[3 * i] + first;
    }
  }

  /// Columns x and, where it is there, x + 1.
  void load(std::int64_t x) {
    std::ptrdiff_t left = std::min(x, last_) * step_;
    std::ptrdiff_t right = std::min(x + 1, last_) * step_;
    left_ = Pairs::of_bytes(load_16(rows_[0] + left), load_16(rows_[1] + left));
    right_ = Pairs::of_bytes(load_16(rows_[0] + right), load_16(rows_[1] + right));
    third_ = Pairs::of_bytes(load_16(rows_[2] + left), load_16(rows_[2] + right));
  }

  /// Adds to a window that begins `kBefore` columns before the first of them.
  template <int kBefore>
  void multiply(__m256i (&sums)[2]) const {
    if constexpr (kBefore >= 0) {
      left_.multiply(upper_weights_[kBefore], sums);
    }
    if constexpr (kBefore < 2) {
      right_.multiply(upper_weights_[kBefore + 1], sums);
    }
    third_.multiply(third_weights_[2 - kBefore], sums);
  }

 private:
  std::ptrdiff_t step_;
  std::int64_t last_;
  const std::uint8_t* rows_[3] = {};
  Pairs upper_weights_[3], third_weights_[4];
  Pairs left_, right_, third_;
};

inline void copy(const __m256i (&from)[2], __m256i (&to)[2]) {
  to[0] = from[0];
  to[1] = from[1];
}

/// Neighbouring windows, two columns at a time.
void run_columns(const DepthwiseParams& p, const Epilogue256& epilogue, std::int64_t first,
                 const Channels& channels, Columns& columns) {
  __m256i ending[2][2] = {};
  for (std::int64_t x = 0; x < p.positions + 2; x += 2) {
    __m256i beginning[2][2] = {{channels.bias[0], channels.bias[1]}, {channels.bias[0], channels.bias[1]}};
    columns.load(x);
    columns.multiply<2>(ending[0]);
    columns.multiply<1>(ending[1]);
    columns.multiply<0>(beginning[0]);
    columns.multiply<-1>(beginning[1]);
    store_two(p, x - 2, first, channels.count, channels.bytes(epilogue, ending[0], ending[1]));
    copy(beginning[0], ending[0]);
    copy(beginning[1], ending[1]);
  }
}

/// Windows two columns apart, four columns at a time.
void run_strided_columns(const DepthwiseParams& p, const Epilogue256& epilogue, std::int64_t first,
                         const Channels& channels, Columns& columns) {
  __m256i ending[2] = {};
  for (std::int64_t x = 0; x <= p.positions; x += 2) {
    __m256i whole[2] = {channels.bias[0], channels.bias[1]};
    __m256i beginning[2] = {channels.bias[0], channels.bias[1]};
    columns.load(2 * x);
    columns.multiply<2>(ending);
    columns.multiply<0>(whole);
    columns.load(2 * x + 2);
    columns.multiply<2>(whole);
    columns.multiply<0>(beginning);
    store_two(p, x - 1, first, channels.count, channels.bytes(epilogue, ending, whole));
    copy(beginning, ending);
  }
}

/// Calls run(row) for each row of output.
template <typename Run>
void for_each_row(const DepthwiseParams& p, Run&& run) {
  DepthwiseParams row = p;
  for (std::int64_t y = 0; y < p.rows; ++y, row.input += p.input_row, row.output += p.output_row) {
    run(row);
  }
}

/// All rows of 16 channels. stride: of windows that share columns, else 0.
void run_channels(const DepthwiseParams& p, const Epilogue256& epilogue, std::int64_t first,
                  std::int64_t stride) {
  Channels channels(p, first);
  if (stride == 0) {
    for_each_row(p, [&](const DepthwiseParams& row) { run_taps(row, epilogue, first, channels); });
    return;
  }
  Columns columns(p, first, stride);
  auto* run = stride == 1 ? run_columns : run_strided_columns;
  for_each_row(p, [&](const DepthwiseParams& row) {
    columns.begin_row(row, first);
    run(row, epilogue, first, channels, columns);
  });
}

}  // namespace

void depthwise_u8s8_s32_16_avx2(const DepthwiseParams& p);
void depthwise_u8s8_s32_16_avx2(const DepthwiseParams& p) {
  Epilogue256 epilogue(*p.epilogue);
  // As many rows as stay in the first cache, of the 64 channels of a cache line.
  constexpr std::int64_t kBytes = 24 << 10;
  std::int64_t at_once = std::max<std::int64_t>(1, kBytes / (2 * kBlock * (p.positions + 2)));
  std::int64_t stride = shares_columns(p, 1) ? 1 : shares_columns(p, 2) ? 2 : 0;
  DepthwiseParams part = p;
  for (std::int64_t y = 0; y < p.rows; y += at_once) {
    part.rows = std::min(at_once, p.rows - y);
    for (std::int64_t first = 0; first < p.channels; first += kChannels) {
      run_channels(part, epilogue, first, stride);
    }
    part.input += at_once * p.input_row;
    part.output += at_once * p.output_row;
  }
}

}  // namespace zeropoint::kernels
