#include "thread_pool.h"

#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace zeropoint {
namespace {

/// Longer than the way from one step of a session to the next and from one run to another that follows at
/// once.
constexpr std::chrono::microseconds kLooking{50};
constexpr int kPauses = 32;  // between two looks at the clock

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Whether ready() is true before kLooking is over.
template <typename Ready>
bool comes_soon(Ready&& ready) {
  std::chrono::steady_clock::time_point begin;
  for (int round = 0;; ++round) {
    for (int i = 0; i < kPauses; ++i) {
      if (ready()) {
        return true;
      }
      pause();
    }
    auto now = std::chrono::steady_clock::now();
    if (round == 0) {
      begin = now;
    } else if (now - begin > kLooking) {
      return false;
    }
  }
}

constexpr std::uint64_t pack(std::int64_t first, std::int64_t end) {
  return (static_cast<std::uint64_t>(first) << 32) | static_cast<std::uint64_t>(end);
}
constexpr std::int64_t first_of(std::uint64_t items) { return static_cast<std::int64_t>(items >> 32); }
constexpr std::int64_t end_of(std::uint64_t items) { return static_cast<std::int64_t>(items & 0xFFFFFFFF); }
constexpr bool is_empty(std::uint64_t items) { return first_of(items) >= end_of(items); }

}  // namespace

ThreadPool::ThreadPool(int threads) : shares_(static_cast<std::size_t>(threads)) {
  try {
    for (std::size_t i = 1; i < shares_.size(); ++i) {
      workers_.emplace_back([this, i] { work(i); });
    }
  } catch (...) {
    end();  // there were no more threads to be had
    throw;
  }
}

ThreadPool::~ThreadPool() { end(); }

void ThreadPool::end() {
  ends_.store(true);
  for (Share& share : shares_) {
    share.asleep.store(0);
    share.asleep.notify_one();
  }
  for (std::thread& worker : workers_) {
    worker.join();
  }
}

bool ThreadPool::are_awake(std::int64_t threads) const {
  for (std::size_t i = 1; i < shares_.size() && static_cast<std::int64_t>(i) < threads; ++i) {
    if (shares_[i].asleep.load(std::memory_order_relaxed) != 0) {
      return false;
    }
  }
  return true;
}

void ThreadPool::run(std::int64_t count, Call call, void* function) {
  if (workers_.empty() || count <= 1) {
    for (std::int64_t i = 0; i < count; ++i) {
      call(function, i);
    }
    return;
  }
  done_.store(0, std::memory_order_relaxed);
  for (Share& share : shares_) {
    share.call = call;
    share.function = function;
  }
  // The last thread's items first: the caller's own are needed last.
  for (auto i = std::ssize(shares_) - 1; i >= 0; --i) {
    Share& share = shares_[static_cast<std::size_t>(i)];
    std::int64_t first = count * i / std::ssize(shares_);
    std::int64_t end = count * (i + 1) / std::ssize(shares_);
    if (first == end) {
      continue;
    }
    // In one order with what a thread does that falls asleep: it is seen here, or it sees its items.
    share.items.store(pack(first, end));
    if (share.asleep.load() != 0) {
      share.asleep.store(0);
      share.asleep.notify_one();
    }
  }
  compute(0);
  auto all_done = [&] { return done_.load(std::memory_order_acquire) == count; };
  while (!comes_soon(all_done)) {
    std::this_thread::yield();
  }
}

/// Takes the first of the items, and computes it.
bool ThreadPool::take_first(Share& share) {
  std::uint64_t items = share.items.load(std::memory_order_acquire);
  while (!is_empty(items)) {
    std::int64_t item = first_of(items);
    if (share.items.compare_exchange_weak(items, pack(item + 1, end_of(items)), std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      share.call(share.function, item);
      return true;
    }
  }
  return false;
}

bool ThreadPool::take_last(Share& share) {
  std::uint64_t items = share.items.load(std::memory_order_acquire);
  while (!is_empty(items)) {
    std::int64_t item = end_of(items) - 1;
    if (share.items.compare_exchange_weak(items, pack(first_of(items), item), std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      share.call(share.function, item);
      return true;
    }
  }
  return false;
}

void ThreadPool::compute(std::size_t own) {
  std::int64_t count = 0;
  while (take_first(shares_[own])) {
    ++count;
  }
  // Items of this job: as long as they are not counted the caller waits.
  if (count > 0) {
    done_.fetch_add(count, std::memory_order_release);
  }
  for (std::size_t i = 1; i < shares_.size(); ++i) {
    while (take_last(shares_[(own + i) % shares_.size()])) {
      done_.fetch_add(1, std::memory_order_release);
    }
  }
}

/// False when there will be no more.
bool ThreadPool::wait_for_items(Share& share) {
  auto ready = [&] {
    return !is_empty(share.items.load(std::memory_order_acquire)) || ends_.load(std::memory_order_relaxed);
  };
  while (!comes_soon(ready)) {
    share.asleep.store(1);
    if (!is_empty(share.items.load()) || ends_.load()) {
      share.asleep.store(0);
      break;
    }
    share.asleep.wait(1);
  }
  return !ends_.load();
}

void ThreadPool::work(std::size_t own) {
  while (wait_for_items(shares_[own])) {
    compute(own);
  }
}

}  // namespace zeropoint
