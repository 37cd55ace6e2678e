#include "zeropoint/cpu.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace zeropoint {
namespace {

/// Sets $ZEROPOINT_ISA for one test.
class IsaVariable {
 public:
  explicit IsaVariable(const char* value) {
    const char* before = std::getenv(kIsaVariable);
    before_ = before == nullptr ? std::nullopt : std::optional<std::string>(before);
    set(value);
  }
  IsaVariable(const IsaVariable&) = delete;
  IsaVariable& operator=(const IsaVariable&) = delete;
  ~IsaVariable() { set(before_ ? before_->c_str() : nullptr); }

 private:
  static void set(const char* value) {
    value == nullptr ? unsetenv(kIsaVariable) : setenv(kIsaVariable, value, 1);
  }
  std::optional<std::string> before_;
};

Isa best_at_hand() {
  Isa best = Isa::kScalar;
  for (Isa isa : all_isas()) {
    best = is_compiled(isa) && is_supported(isa) ? isa : best;
  }
  return best;
}

TEST(Cpu, EveryIsaIsFoundByItsName) {
  EXPECT_EQ(all_isas().size(), 7U);
  for (Isa isa : all_isas()) {
    EXPECT_EQ(find_isa(name_of(isa)), isa);
  }
  EXPECT_EQ(find_isa("avx512"), std::nullopt);
}

TEST(Cpu, ScalarIsEverywhereAndNoMachineIsOfTwoKinds) {
  EXPECT_TRUE(is_compiled(Isa::kScalar));
  EXPECT_TRUE(is_supported(Isa::kScalar));
  EXPECT_FALSE(is_supported(Isa::kAvx2) && is_supported(Isa::kNeon));
  EXPECT_FALSE(is_compiled(Isa::kAvx2) && is_compiled(Isa::kNeon));
}

TEST(Cpu, LargerSetsIncludeSmallerOnes) {
  EXPECT_TRUE(!is_supported(Isa::kAvxVnni) || is_supported(Isa::kAvx2));
  EXPECT_TRUE(!is_supported(Isa::kAvx512Vnni) || is_supported(Isa::kAvx2));
  EXPECT_TRUE(!is_supported(Isa::kAmx) || is_supported(Isa::kAvx512Vnni));
  EXPECT_TRUE(!is_supported(Isa::kNeonDot) || is_supported(Isa::kNeon));
}

TEST(Cpu, TheBestAtHandIsChosen) {
  IsaVariable unset(nullptr);
  EXPECT_EQ(*choose_isa(), best_at_hand());
}

TEST(Cpu, TheEnvironmentForcesAnIsa) {
  IsaVariable scalar("scalar");
  EXPECT_EQ(*choose_isa(), Isa::kScalar);
  EXPECT_EQ(*choose_isa(best_at_hand()), best_at_hand());  // what the caller says comes first
}

TEST(Cpu, WhatCannotBeHadFails) {
  Isa foreign = is_supported(Isa::kNeon) ? Isa::kAvx2 : Isa::kNeon;
  EXPECT_EQ(choose_isa(foreign).status().code(), StatusCode::kUnsupported);
  IsaVariable named(std::string(name_of(foreign)).c_str());
  Status status = choose_isa().status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_NE(status.message().find("ZEROPOINT_ISA"), std::string::npos);
  EXPECT_NE(status.message().find("scalar"), std::string::npos);
}

TEST(Cpu, MisspeltNamesFail) {
  IsaVariable misspelt("avx512");
  Status status = choose_isa().status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("'avx512'"), std::string::npos);
}

TEST(Cpu, TheMachineIsDescribed) { EXPECT_GE(cpu_info().cores, 1); }

}  // namespace
}  // namespace zeropoint
