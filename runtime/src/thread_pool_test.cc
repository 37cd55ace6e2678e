#include "thread_pool.h"

#include <gtest/gtest.h>

#include <vector>

namespace zeropoint {
namespace {

TEST(ThreadPool, DoesEachItemOnce) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (std::int64_t count : {0, 1, 2, 7, 100}) {
      for (int job = 0; job < 200; ++job) {
        std::vector<std::atomic<int>> times(static_cast<std::size_t>(count));
        pool.for_each(count, [&](std::int64_t i) { ++times[static_cast<std::size_t>(i)]; });
        for (const std::atomic<int>& t : times) {
          ASSERT_EQ(t.load(), 1);
        }
      }
    }
  }
}

TEST(ThreadPool, WhatItemsWroteIsSeenByTheCaller) {
  ThreadPool pool(4);
  std::vector<std::int64_t> results(64);
  for (std::int64_t job = 0; job < 5000; ++job) {
    pool.for_each(64, [&](std::int64_t i) { results[static_cast<std::size_t>(i)] = job * 64 + i; });
    for (std::int64_t i = 0; i < 64; ++i) {
      ASSERT_EQ(results[static_cast<std::size_t>(i)], job * 64 + i);
    }
  }
}

// Its threads sleep by then; work must wake them, and end without them all the same.
TEST(ThreadPool, WorksAfterAPause) {
  ThreadPool pool(3);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<std::int64_t> sum = 0;
    pool.for_each(1000, [&](std::int64_t item) { sum += item; });
    EXPECT_EQ(sum.load(), 499500);
  }
}

}  // namespace
}  // namespace zeropoint
