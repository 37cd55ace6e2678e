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

bool has_avx2() { return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0; }

/// Intel, instruction set reference, CPUID: leaf 7, subleaf 1, EAX bit 4. The registers are those of AVX2.
bool has_avxvnni() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & (1U << 4)) != 0;
}

bool has_avx512vnni() {
  return has_avx2() && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
}

/// CPUID: leaf 7, EDX bits 24 (tiles) and 25 (their products of 8 bits). Linux gives a process the tiles'
/// registers when it asks for them.
bool has_amx() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned kTiles = 3U << 24;
  return has_avx512vnni() && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kTiles) == kTiles &&
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
