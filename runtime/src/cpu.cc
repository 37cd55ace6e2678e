#include "zeropoint/cpu.h"

#include <cstdlib>

#include "cpu_features.h"

namespace zeropoint {
namespace {

struct Row {
  Isa isa;
  std::string_view name;
  bool compiled;
};

// ZP_WITH_... are cmake/isa.cmake's.
constexpr Row kRows[] = {
    {Isa::kScalar, "scalar", true},
    {Isa::kAvx2, "avx2", ZP_WITH_AVX2 == 1},
    {Isa::kAvxVnni, "avxvnni", ZP_WITH_AVXVNNI == 1},
    {Isa::kAvx512Vnni, "avx512vnni", ZP_WITH_AVX512VNNI == 1},
    {Isa::kAmx, "amx", ZP_WITH_AMX == 1},
    {Isa::kNeon, "neon", ZP_WITH_NEON == 1},
    {Isa::kNeonDot, "neondot", ZP_WITH_NEONDOT == 1},
};

constexpr Isa kIsas[] = {Isa::kScalar, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512Vnni,
                         Isa::kAmx,    Isa::kNeon, Isa::kNeonDot};

/// The rows stand in the order of the enumeration.
const Row& row_of(Isa isa) { return kRows[static_cast<std::size_t>(isa)]; }

/// Those that can be chosen, for messages.
std::string names_at_hand() {
  std::string names;
  for (Isa isa : kIsas) {
    if (is_compiled(isa) && is_supported(isa)) {
      names += (names.empty() ? "" : ", ") + std::string(name_of(isa));
    }
  }
  return names;
}

Status check_at_hand(Isa isa) {
  if (!is_compiled(isa)) {
    return Status::unsupported("instruction set ", name_of(isa),
                               " is not compiled into this library; there are ", names_at_hand());
  }
  if (!is_supported(isa)) {
    return Status::unsupported("this machine does not have instruction set ", name_of(isa), "; it has ",
                               names_at_hand());
  }
  return {};
}

}  // namespace

std::span<const Isa> all_isas() { return kIsas; }

std::string_view name_of(Isa isa) { return row_of(isa).name; }

std::optional<Isa> find_isa(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) {
      return row.isa;
    }
  }
  return std::nullopt;
}

bool is_compiled(Isa isa) { return row_of(isa).compiled; }

bool is_supported(Isa isa) { return internal::machine_has(isa); }

Result<Isa> choose_isa(std::optional<Isa> wanted) {
  if (wanted) {
    ZP_RETURN_IF_ERROR(check_at_hand(*wanted));
    return *wanted;
  }
  const char* named = std::getenv(kIsaVariable);
  if (named != nullptr && *named != '\0') {
    std::optional<Isa> isa = find_isa(named);
    if (!isa) {
      return Status::invalid_argument(kIsaVariable, " names '", named,
                                      "', which is no instruction set; this machine has ", names_at_hand());
    }
    ZP_RETURN_IF_ERROR(check_at_hand(*isa).at(kIsaVariable));
    return *isa;
  }
  Isa best = Isa::kScalar;
  for (Isa isa : kIsas) {
    best = is_compiled(isa) && is_supported(isa) ? isa : best;
  }
  return best;
}

}  // namespace zeropoint
