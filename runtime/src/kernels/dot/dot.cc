#include "kernels/dot/dot.h"

#include <algorithm>
#include <cstdlib>

#include "kernels/dot/split_pairs.h"

namespace zeropoint::kernels {

#define ZP_DOT_KERNEL(function, ...) void function(const DotParams& params);
#include "kernels/dot/kernels.inc"
#if ZP_WITH_AMX
void enter_tiles(const DotParams& params);
void leave_tiles();
#endif
#if ZP_WITH_AVX512VNNI
void maxima_u8s8_s32_6x16_avx512vnni(const DotParams& params);
#endif

namespace {

/// Tiles against vectors, in cycles: a product of tiles takes 16, a vector of 16 channels by 4 bytes a half.
[[maybe_unused]] bool fills_tiles(const DotWork& work) {
  auto pieces = [](std::int64_t extent, std::int64_t size) { return (extent + size - 1) / size; };
  constexpr std::int64_t kEnter = 1500;                // and leave, and begin anew what slept
  std::int64_t finish = work.channels > 16 ? 60 : 90;  // a tile of sums; two side by side are quicker
  std::int64_t outputs = work.runs * pieces(work.positions, 16) * pieces(work.channels, 16);
  std::int64_t tiles = outputs * (work.segments * pieces(work.depth, 64) * 20 + finish) + kEnter;
  std::int64_t vectors = work.runs * work.positions * pieces(work.channels, 16) *
                         (work.segments * pieces(work.depth, 4) * 9 / 16 + 4);
  return tiles < vectors;
}

constexpr DotKernel kKernels[] = {
#define ZP_DOT_KERNEL(function, isa, panel, unit, split, takes_runs, maxima, enter, leave, worth) \
  {#function, Isa::isa, panel, unit, function, split, takes_runs, maxima, enter, leave, worth},
#include "kernels/dot/kernels.inc"
};

}  // namespace

std::span<const DotKernel> dot_kernels() { return kKernels; }

}  // namespace zeropoint::kernels
