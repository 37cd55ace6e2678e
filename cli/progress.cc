#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace zeropoint::cli {
namespace {

std::string duration_text(double seconds) {
  auto whole = static_cast<std::int64_t>(std::lround(seconds));
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

/// 1234567 -> "1.23M"
std::string short_number(double value) {
  const char* suffix = "";
  for (const char* next : {"k", "M", "G"}) {
    if (value < 1000) {
      break;
    }
    value /= 1000;
    suffix = next;
  }
  return fmt::format("{:.3g}{}", value, suffix);
}

}  // namespace

Progress::Progress(std::string label, std::string unit)
    : label_(std::move(label)), unit_(std::move(unit)), terminal_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (drawn_) {
    std::fputs("\r\033[K", stderr);
    drawn_ = false;
  }
}

void Progress::update(std::int64_t done, std::int64_t total, const std::string& note) {
  Clock::time_point now = Clock::now();
  if (!terminal_ || total <= 0 || (drawn_ && done < total && now - last_ < std::chrono::milliseconds(100))) {
    return;
  }
  last_ = now;
  drawn_ = true;
  double seconds = std::chrono::duration<double>(now - start_).count();
  double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  double left = rate > 0 ? static_cast<double>(total - done) / rate : 0;
  constexpr std::int64_t kWidth = 30;
  auto filled = static_cast<std::size_t>(kWidth * done / total);
  fmt::print(stderr, "\r\033[K{} [{:<{}}] {:3}%  {} {}/s  {} left  {}", label_, std::string(filled, '='),
             kWidth, 100 * done / total, short_number(rate), unit_, duration_text(left), note);
  std::fflush(stderr);
}

}  // namespace zeropoint::cli
