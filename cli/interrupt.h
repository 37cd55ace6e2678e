#pragma once

namespace zeropoint::cli {

/// While it lives, the first SIGINT (Ctrl-C) or SIGTERM only sets interrupted(), so that work can stop where
/// its results are whole; the second ends the program at once.
class StopOnInterrupt {
 public:
  StopOnInterrupt();
  StopOnInterrupt(const StopOnInterrupt&) = delete;
  StopOnInterrupt& operator=(const StopOnInterrupt&) = delete;
  ~StopOnInterrupt();
};

/// Whether a signal came that asked to stop.
bool interrupted();

/// What the program exits with then: 128 + SIGINT, as shells have it.
inline constexpr int kInterruptedExit = 130;

}  // namespace zeropoint::cli
