#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace zeropoint {

/// A team that computes numbered items together. Its threads look for work a short while before they sleep,
/// and claim one item at a time, so that one that the system keeps from running holds up no more than the
/// item it has. One caller at a time; nothing is allocated after construction.
class ThreadPool {
 public:
  /// `threads` of them, the caller's among them; at least 1.
  explicit ThreadPool(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  [[nodiscard]] int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls function(item) for each of [0, count), in any order and on any thread; returns when all are done.
  template <typename Function>
  void for_each(std::int64_t count, Function&& function) {
    using Type = std::remove_reference_t<Function>;
    run(
        count, [](void* f, std::int64_t item) { (*static_cast<Type*>(f))(item); },
        const_cast<void*>(static_cast<const void*>(&function)));
  }

 private:
  using Call = void (*)(void* function, std::int64_t item);

  void run(std::int64_t count, Call call, void* function);
  void work();
  bool claim_and_run();

  // The number of the job in the upper half, the next item in the lower one. Items are claimed by exchanging
  // it, so that a thread that slept through the end of a job cannot claim with what it read of another.
  std::atomic<std::uint64_t> next_{kClosed};
  std::atomic<std::int64_t> count_{0};
  std::atomic<Call> call_{nullptr};
  std::atomic<void*> function_{nullptr};
  std::atomic<std::int32_t> done_{0};  ///< items of the job
  std::atomic<std::int32_t> job_{0};   ///< that is open, to sleep on
  std::atomic<std::int32_t> sleepers_{0};
  std::atomic<bool> ends_{false};
  std::vector<std::thread> workers_;

  static constexpr std::uint64_t kClosed = 0xFFFFFFFF;  ///< as next item
};

}  // namespace zeropoint
