#pragma once

// Which instruction sets this library was compiled for, which of them this machine has, and which one runs.
// The results of a program are the same bits on each; only the time differs.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "zeropoint/status.h"

namespace zeropoint {

/// A set of instructions that kernels are written for. Of two that a machine has, the later one is quicker.
enum class Isa : std::uint8_t {
  kScalar,      ///< C++ alone; every machine
  kAvx2,        ///< x86-64: AVX2, FMA
  kAvxVnni,     ///< x86-64: AVX2 with dot products of 8 bits in 256-bit registers
  kAvx512Vnni,  ///< x86-64: AVX-512 F, BW, DQ, VL and VNNI
  kAmx,         ///< x86-64: AVX512-VNNI and matrix tiles of 8 bits
  kNeon,        ///< arm64
  kNeonDot,     ///< arm64 with dot products of 8 bits
};

/// All of them, in the order of the enumeration.
std::span<const Isa> all_isas();
/// "scalar", "avx2", "avxvnni", "avx512vnni", "amx", "neon", "neondot"
std::string_view name_of(Isa isa);
std::optional<Isa> find_isa(std::string_view name);

/// Whether this library holds kernels for it.
bool is_compiled(Isa isa);
/// Whether this machine can run them: processor and operating system.
bool is_supported(Isa isa);

/// The environment variable that names the instruction set to use.
inline constexpr const char* kIsaVariable = "ZEROPOINT_ISA";

/// `wanted`, or what $ZEROPOINT_ISA names, or else the last that is compiled and supported. kInvalidArgument
/// for a name that there is not; kUnsupported for a set that was not compiled or that this machine does not
/// have.
Result<Isa> choose_isa(std::optional<Isa> wanted = std::nullopt);

/// Multiply-adds per second that one core computes in registers alone: no kernel can be quicker.
struct Peak {
  double int8 = 0;  ///< products of 8 bits, summed exactly in 32
  double float32 = 0;
};
/// Measured in less than a tenth of a second. Errors as choose_isa().
Result<Peak> measure_peak(Isa isa);

/// What the operating system tells of the processor; empty or 0 where it does not.
struct CpuInfo {
  std::string model;
  int cores = 0;                  ///< that this process may use
  std::int64_t level1_bytes = 0;  ///< data cache of a core
  std::int64_t level2_bytes = 0;  ///< of a core
  std::int64_t level3_bytes = 0;  ///< shared
};
CpuInfo cpu_info();

}  // namespace zeropoint
