// Sessions against the reference interpreter, on programs of random graphs: every instruction set at hand,
// and teams of threads, give the same bits.

#include <gtest/gtest.h>

#include "compile/random_graphs_for_test.h"
#include "compile/same_but_for_nans_for_test.h"
#include "zeropoint/cpu.h"
#include "zeropoint/reference.h"
#include "zeropoint/session.h"
#include "zeropoint/toolchain/lower.h"

namespace zeropoint::toolchain {
namespace {

using random_graphs::QuantizedGraph;
using random_graphs::random_quantized;

void expect_equal_to_reference(const Result<QuantizedGraph>& quantized, std::uint64_t seed,
                               RequantizeMode mode) {
  ASSERT_TRUE(quantized.ok()) << quantized.status().message() << ", seed " << seed;
  Result<Lowering> lowering = lower(quantized->graph, mode);
  ASSERT_TRUE(lowering.ok()) << lowering.status().message() << ", seed " << seed;
  auto program = std::make_shared<const Program>(std::move(lowering->program));
  Result<std::vector<Tensor>> expected = run_reference(*program, std::span(&quantized->input, 1));
  ASSERT_TRUE(expected.ok()) << expected.status().message() << ", seed " << seed;
  for (Isa isa : all_isas()) {
    if (!is_compiled(isa) || !is_supported(isa)) {
      continue;
    }
    for (int threads : {1, 2, 5}) {
      Result<Session> session = Session::create(program, {.threads = threads, .isa = isa});
      ASSERT_TRUE(session.ok()) << session.status().message();
      for (int run = 0; run < 2; ++run) {  // the second finds what the first left in memory
        Result<std::vector<Tensor>> actual = session->run(std::span(&quantized->input, 1));
        ASSERT_TRUE(actual.ok()) << actual.status().message() << ", seed " << seed;
        ASSERT_EQ(actual->size(), expected->size());
        for (std::size_t i = 0; i < actual->size(); ++i) {
          ASSERT_TRUE(same_but_for_nans((*actual)[i], (*expected)[i]))
              << "seed " << seed << ", " << name_of(isa) << ", threads " << threads;
        }
      }
    }
  }
}

TEST(SessionDifferential, EqualsTheReference) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    expect_equal_to_reference(random_quantized(seed), seed,
                              seed % 4 == 3 ? RequantizeMode::kFixedPoint : RequantizeMode::kFloat);
    if (HasFatalFailure()) {
      return;
    }
  }
}

TEST(SessionDifferential, EqualsTheReferenceInFloat) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    expect_equal_to_reference(random_graphs::random_real(seed), seed, RequantizeMode::kFloat);
    if (HasFatalFailure()) {
      return;
    }
  }
}

TEST(SessionDifferential, EqualsTheReferenceWithActivationsOf16Bits) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    expect_equal_to_reference(random_quantized(seed, 16), seed, RequantizeMode::kFloat);
    if (HasFatalFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
