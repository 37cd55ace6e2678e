#include "kernels/peak/peak.h"

#include <algorithm>
#include <chrono>

#include "zeropoint/cpu.h"

namespace zeropoint {
namespace {

kernels::PeakLoops loops_of(Isa isa) {
  switch (isa) {
#if ZP_WITH_AVX2
    case Isa::kAvx2:
      return kernels::peak_avx2();
#endif
#if ZP_WITH_AVXVNNI
    case Isa::kAvxVnni:
      return kernels::peak_avxvnni();
#endif
#if ZP_WITH_AVX512VNNI
    case Isa::kAvx512Vnni:
      return kernels::peak_avx512vnni();
#endif
#if ZP_WITH_AMX
    case Isa::kAmx:
      return kernels::peak_amx();
#endif
#if ZP_WITH_NEON
    case Isa::kNeon:
      return kernels::peak_neon();
#endif
#if ZP_WITH_NEONDOT
    case Isa::kNeonDot:
      return kernels::peak_neondot();
#endif
    default:
      return kernels::peak_scalar();
  }
}

/// The best of many short runs: what other programs take of the core does not count.
double per_second(kernels::PeakLoop loop) {
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  constexpr std::int64_t kRounds = 2000;
  constexpr Seconds kEnough{0.03};
  double best = 0;
  volatile float sink = 0;
  for (Clock::time_point begin = Clock::now(); Clock::now() - begin < kEnough;) {
    Clock::time_point start = Clock::now();
    kernels::PeakWork work = loop(kRounds);
    Seconds taken = Clock::now() - start;
    sink = work.result;
    best = std::max(best, static_cast<double>(work.multiply_adds) / taken.count());
  }
  static_cast<void>(sink);
  return best;
}

}  // namespace

Result<Peak> measure_peak(Isa isa) {
  ZP_ASSIGN_OR_RETURN(isa, choose_isa(isa));
  kernels::PeakLoops loops = loops_of(isa);
  return Peak{per_second(loops.int8), per_second(loops.float32)};
}

}  // namespace zeropoint
