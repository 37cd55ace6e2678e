#include "parallel/team.h"

#include <gtest/gtest.h>

#include "parallel/split_batch.h"

namespace zeropoint::toolchain {
namespace {

TEST(Team, EachPartRunsOnceAndAllAreDoneOnReturn) {
  Team team(5);
  EXPECT_EQ(team.size(), 5);
  for (int round = 0; round < 2000; ++round) {
    int parts = round % 5 + 1;
    std::vector<int> runs(5, 0);
    team.run(parts, [&](int part) { ++runs[static_cast<std::size_t>(part)]; });
    for (int part = 0; part < 5; ++part) {
      ASSERT_EQ(runs[static_cast<std::size_t>(part)], part < parts ? 1 : 0);
    }
  }
}

TEST(Team, APartIsAlwaysOnTheSameThread) {
  Team team(3);
  std::vector<std::thread::id> first(3);
  team.run(3, [&](int part) { first[static_cast<std::size_t>(part)] = std::this_thread::get_id(); });
  EXPECT_EQ(first[0], std::this_thread::get_id());
  for (int round = 0; round < 100; ++round) {
    std::vector<std::thread::id> now(3);
    team.run(3, [&](int part) { now[static_cast<std::size_t>(part)] = std::this_thread::get_id(); });
    ASSERT_EQ(now, first);
  }
}

TEST(Team, OfOneNeedsNoThread) {
  Team team(1);
  int runs = 0;
  team.run(1, [&](int part) { runs += part + 1; });
  EXPECT_EQ(runs, 1);
}

TEST(SplitBatch, PartsCoverTheBatchAndJoinToIt) {
  Tensor batch(ElementType::kFloat32, {7, 2});
  for (std::size_t i = 0; i < 14; ++i) {
    batch.data<float>()[i] = static_cast<float>(i);
  }
  for (int parts = 1; parts <= 7; ++parts) {
    std::vector<Tensor> cut;
    for (int part = 0; part < parts; ++part) {
      cut.push_back(slice_batch(batch, part_of(7, part, parts)));
      EXPECT_GE(cut.back().dim(0), 7 / parts);
    }
    EXPECT_EQ(join_batches(cut), batch);
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
