#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace zeropoint::cli {

/// A progress bar with rate and time left, drawn on stderr and only where that is a terminal. The bar is
/// erased when the object ends, so that results stand alone.
class Progress {
 public:
  /// `unit` names what is counted: "images".
  Progress(std::string label, std::string unit);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  /// Draws at most ten times a second. `note` stands behind the bar ("loss 0.123").
  void update(std::int64_t done, std::int64_t total, const std::string& note = "");

  /// Erases the bar, for a line of output; the next update draws it again.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  std::string label_;
  std::string unit_;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_{};
};

}  // namespace zeropoint::cli
