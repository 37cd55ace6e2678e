#pragma once

// Loops over registers alone, which no kernel can be quicker than.

#include <cstdint>

namespace zeropoint::kernels {

/// What `rounds` rounds of a loop compute. `result` only keeps the compiler from leaving them out.
struct PeakWork {
  std::int64_t multiply_adds;
  float result;
};
using PeakLoop = PeakWork (*)(std::int64_t rounds);

/// Products of 8 bits summed in 32, and of float32.
struct PeakLoops {
  PeakLoop int8;
  PeakLoop float32;
};

PeakLoops peak_scalar();
PeakLoops peak_avx2();
PeakLoops peak_avxvnni();
PeakLoops peak_avx512vnni();
PeakLoops peak_amx();
PeakLoops peak_neon();
PeakLoops peak_neondot();

}  // namespace zeropoint::kernels
