#include "engine/plan_memory.h"

#include <gtest/gtest.h>

#include <random>

namespace zeropoint::engine {
namespace {

TEST(PlanMemory, BuffersThatNeverMeetShareMemory) {
  MemoryPlan plan = plan_memory({{100, 0, 1}, {100, 2, 3}, {50, 1, 2}});
  EXPECT_EQ(plan.offsets[0], plan.offsets[1]);
  EXPECT_EQ(plan.peak, 192);  // 128 and 64
  EXPECT_EQ(plan.least, 192);
}

TEST(PlanMemory, WhatIsAliveTogetherLiesApart) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 rng(seed);
    std::vector<Lifetime> buffers;
    for (int i = 0; i < 30; ++i) {
      auto first = static_cast<std::int64_t>(rng() % 20);
      buffers.push_back({static_cast<std::int64_t>(rng() % 1000 + 1), first,
                         first + static_cast<std::int64_t>(rng() % 6) - 1});
    }
    MemoryPlan plan = plan_memory(buffers);
    EXPECT_GE(plan.peak, plan.least);
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % 64, 0);
      for (std::size_t j = 0; j < i; ++j) {
        bool meet = buffers[i].first <= buffers[i].last && buffers[j].first <= buffers[j].last &&
                    buffers[i].first <= buffers[j].last && buffers[j].first <= buffers[i].last;
        bool overlap = plan.offsets[i] < plan.offsets[j] + buffers[j].bytes &&
                       plan.offsets[j] < plan.offsets[i] + buffers[i].bytes;
        ASSERT_FALSE(meet && overlap) << "seed " << seed << ", " << i << " and " << j;
      }
    }
  }
}

}  // namespace
}  // namespace zeropoint::engine
