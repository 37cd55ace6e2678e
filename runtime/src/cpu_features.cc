#include "cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace zeropoint::internal {
namespace {

#if defined(__x86_64__)

// Intel, instruction set reference: CPUID and XGETBV. The compiler's own __builtin_cpu_supports takes ten
// times the room.

struct Registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

/// Zeros where there is no such leaf.
Registers cpuid(unsigned leaf, unsigned subleaf) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
  return r;
}

bool has_bits(unsigned value, unsigned bits) { return (value & bits) == bits; }

/// Whether the system saves these registers: 1 << 1 and 1 << 2 those of AVX, 1 << 5 to 1 << 7 those of
/// AVX-512.
bool are_saved(unsigned states) {
  constexpr unsigned kXgetbv = 1U << 27;
  if (!has_bits(cpuid(1, 0).c, kXgetbv)) {
    return false;
  }
  unsigned low = 0;
  unsigned high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return has_bits(low, states);
}

bool has_avx2() {
  constexpr unsigned kFmaAvxF16c = 1U << 12 | 1U << 28 | 1U << 29;
  return are_saved(0x06) && has_bits(cpuid(1, 0).c, kFmaAvxF16c) && has_bits(cpuid(7, 0).b, 1U << 5);
}

bool has_avxvnni() { return has_avx2() && has_bits(cpuid(7, 1).a, 1U << 4); }

bool has_avx512vnni() {
  constexpr unsigned kFoundationDqBwVl = 1U << 16 | 1U << 17 | 1U << 30 | 1U << 31;
  return has_avx2() && are_saved(0xE6) && has_bits(cpuid(7, 0).b, kFoundationDqBwVl) &&
         has_bits(cpuid(7, 0).c, 1U << 11);
}

/// Tiles and their products of 8 bits. Linux gives a process the tiles' registers when it asks for them.
bool has_amx() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return has_avx512vnni() && has_bits(cpuid(7, 0).d, 1U << 24 | 1U << 25) &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

#elif defined(__aarch64__)

bool has_dot_product() {
#if defined(__linux__)
  constexpr unsigned long kDotProduct = 1UL << 20;  // HWCAP_ASIMDDP of the kernel's interface
  return (getauxval(AT_HWCAP) & kDotProduct) != 0;
#elif defined(__APPLE__)
  return true;
#else
  return false;
#endif
}

#endif

}  // namespace

bool machine_has(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return true;
#if defined(__x86_64__)
    case Isa::kAvx2:
      return has_avx2();
    case Isa::kAvxVnni:
      return has_avxvnni();
    case Isa::kAvx512Vnni:
      return has_avx512vnni();
    case Isa::kAmx: {
      static const bool kHasAmx = has_amx();
      return kHasAmx;
    }
#elif defined(__aarch64__)
    case Isa::kNeon:
      return true;
    case Isa::kNeonDot:
      return has_dot_product();
#endif
    default:
      return false;
  }
}

}  // namespace zeropoint::internal
