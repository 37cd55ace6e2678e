#include "parallel/team.h"

#include <algorithm>

namespace zeropoint::toolchain {

int threads_or_all(int threads) {
  return threads > 0 ? threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

Team::Team(int members) {
  for (int member = 1; member < members; ++member) {
    threads_.emplace_back([this, member] { work(member); });
  }
}

Team::~Team() {
  {
    std::lock_guard lock(mutex_);
    ends_ = true;
  }
  work_is_there_.notify_all();
  std::for_each(threads_.begin(), threads_.end(), [](std::thread& thread) { thread.join(); });
}

void Team::run(int parts, const std::function<void(int)>& task) {
  if (parts > 1) {
    std::lock_guard lock(mutex_);
    task_ = &task;
    parts_ = parts;
    running_ = parts - 1;
    ++round_;
  }
  if (parts > 1) {
    work_is_there_.notify_all();
  }
  task(0);
  std::unique_lock lock(mutex_);
  work_is_done_.wait(lock, [this] { return running_ == 0; });
}

void Team::work(int member) {
  std::int64_t seen = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    work_is_there_.wait(lock, [&] { return ends_ || round_ != seen; });
    if (ends_) {
      return;
    }
    seen = round_;
    if (member >= parts_) {
      continue;
    }
    const std::function<void(int)>& task = *task_;
    lock.unlock();
    task(member);
    lock.lock();
    if (--running_ == 0) {
      work_is_done_.notify_one();
    }
  }
}

}  // namespace zeropoint::toolchain
