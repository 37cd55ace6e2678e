#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace zeropoint {

/// A team that computes numbered items together. Each thread has a share of neighbouring items, the same one
/// job after job, so that what it made lies in its own cache; who is done with his takes items of others, so
/// that one that the system keeps from running holds up no more than the item it has. Threads look for work a
/// short while before they sleep. One caller at a time; nothing is allocated after construction.
class ThreadPool {
 public:
  /// `threads` of them, the caller's among them; at least 1.
  explicit ThreadPool(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  [[nodiscard]] int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Whether as many of the threads, the caller's among them, look for work and need not be woken.
  [[nodiscard]] bool are_awake(std::int64_t threads) const;

  /// Calls function(item) for each of [0, count), count below 2^31, in any order and on any thread; returns
  /// when all are done.
  template <typename Function>
  void for_each(std::int64_t count, Function&& function) {
    using Type = std::remove_reference_t<Function>;
    run(
        count, [](void* f, std::int64_t item) { (*static_cast<Type*>(f))(item); },
        const_cast<void*>(static_cast<const void*>(&function)));
  }

 private:
  using Call = void (*)(void* function, std::int64_t item);

  /// What is left of a thread's items. `call` and `function` belong to the job of an item and are read after
  /// the item was taken: until it is done the caller gives out no other.
  struct alignas(64) Share {
    std::atomic<std::uint64_t> items{0};  ///< the first in the upper half, the end in the lower one
    Call call = nullptr;
    void* function = nullptr;
    std::atomic<std::int32_t> asleep{0};
  };

  void end();
  void run(std::int64_t count, Call call, void* function);
  void work(std::size_t own);
  bool wait_for_items(Share& share);
  void compute(std::size_t own);
  static bool take_first(Share& share);
  static bool take_last(Share& share);

  std::vector<Share> shares_;  ///< the caller's first
  std::vector<std::thread> workers_;
  alignas(64) std::atomic<std::int64_t> done_{0};  ///< items of the job
  alignas(64) std::atomic<bool> ends_{false};
};

}  // namespace zeropoint
