#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace zeropoint::toolchain {

/// `threads`, or as many as the machine has cores for 0.
int threads_or_all(int threads);

/// Threads that wait, asleep, for work that is cut into as many parts as there are members. Waiting members
/// cost nothing, so that a team does not slow down more than its share when another program takes a core.
/// Used by one thread.
class Team {
 public:
  /// `members` counts the calling thread.
  explicit Team(int members);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team();

  [[nodiscard]] int size() const { return static_cast<int>(threads_.size()) + 1; }

  /// Calls task(0) here and task(1) .. task(parts - 1) each on its member, always the same one, and returns
  /// when all are done. `parts` is at most size(). Tasks must not throw.
  void run(int parts, const std::function<void(int)>& task);

 private:
  void work(int member);

  std::mutex mutex_;
  std::condition_variable work_is_there_;
  std::condition_variable work_is_done_;
  const std::function<void(int)>* task_ = nullptr;
  std::int64_t round_ = 0;
  int parts_ = 0;
  int running_ = 0;
  bool ends_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace zeropoint::toolchain
