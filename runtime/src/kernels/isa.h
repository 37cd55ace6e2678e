#pragma once

#include "zeropoint/cpu.h"

namespace zeropoint::kernels {

/// Whether a machine that runs `isa` runs kernels of `needed` too.
inline bool includes(Isa isa, Isa needed) {
  auto on_arm = [](Isa set) { return set == Isa::kNeon || set == Isa::kNeonDot; };
  if (needed == Isa::kScalar || needed == isa) {
    return true;
  }
  // AVX-VNNI is no part of the sets with AVX-512.
  return needed != Isa::kAvxVnni && on_arm(isa) == on_arm(needed) && isa > needed;
}

}  // namespace zeropoint::kernels
