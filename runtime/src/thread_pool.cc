#include "thread_pool.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace zeropoint {
namespace {

/// About 20 microseconds: longer than the way from one step of a session to the next, shorter than what
/// waking a thread costs its users.
constexpr int kSpins = 500;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  for (int i = 1; i < threads; ++i) {
    workers_.emplace_back([this] { work(); });
  }
}

ThreadPool::~ThreadPool() {
  ends_.store(true);
  job_.fetch_add(1);
  job_.notify_all();
  for (std::thread& worker : workers_) {
    worker.join();
  }
}

void ThreadPool::run(std::int64_t count, Call call, void* function) {
  if (workers_.empty() || count <= 1) {
    for (std::int64_t i = 0; i < count; ++i) {
      call(function, i);
    }
    return;
  }
  std::uint64_t number = (next_.load(std::memory_order_relaxed) >> 32) + 1;
  count_.store(count, std::memory_order_relaxed);
  call_.store(call, std::memory_order_relaxed);
  function_.store(function, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  next_.store(number << 32, std::memory_order_release);
  job_.fetch_add(1);
  if (sleepers_.load() > 0) {
    job_.notify_all();
  }
  while (claim_and_run()) {
  }
  auto all = static_cast<std::int32_t>(count);
  for (int spins = 0; done_.load(std::memory_order_acquire) != all; ++spins) {
    if (spins < kSpins) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
  // Closed before the next job's numbers are written: an exchange, since a store alone could be seen after
  // them.
  next_.exchange((number << 32) | kClosed, std::memory_order_acq_rel);
}

bool ThreadPool::claim_and_run() {
  std::uint64_t next = next_.load(std::memory_order_acquire);
  for (;;) {
    auto item = static_cast<std::int64_t>(next & kClosed);
    Call call = call_.load(std::memory_order_relaxed);
    void* function = function_.load(std::memory_order_relaxed);
    if (item >= count_.load(std::memory_order_relaxed)) {
      return false;
    }
    // What was read above belongs to the job as long as next_ has not changed.
    if (next_.compare_exchange_weak(next, next + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
      call(function, item);
      done_.fetch_add(1, std::memory_order_release);
      return true;
    }
  }
}

void ThreadPool::work() {
  std::int32_t seen = 0;
  for (;;) {
    int spins = 0;
    while (job_.load(std::memory_order_acquire) == seen) {
      if (++spins < kSpins) {
        pause();
        continue;
      }
      sleepers_.fetch_add(1);
      job_.wait(seen);
      sleepers_.fetch_sub(1);
    }
    if (ends_.load()) {
      return;
    }
    seen = job_.load(std::memory_order_acquire);
    while (claim_and_run()) {
    }
  }
}

}  // namespace zeropoint
