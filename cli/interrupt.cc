#include "interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace zeropoint::cli {
namespace {

std::atomic<bool> asked_to_stop = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may touch no other

extern "C" void on_signal(int) {
  if (asked_to_stop.exchange(true)) {
    _exit(kInterruptedExit);
  }
}

}  // namespace

StopOnInterrupt::StopOnInterrupt() {
  (void)std::signal(SIGINT, on_signal);
  (void)std::signal(SIGTERM, on_signal);
}

StopOnInterrupt::~StopOnInterrupt() {
  (void)std::signal(SIGINT, SIG_DFL);
  (void)std::signal(SIGTERM, SIG_DFL);
}

bool interrupted() { return asked_to_stop; }

}  // namespace zeropoint::cli
