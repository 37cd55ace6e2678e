#include "stopwatch.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace zeropoint::cli {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double quantile_of(std::vector<double> values, double q) {
  if (values.empty()) {
    return 0;
  }
  auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
  auto place =
      values.begin() + static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(rank, 1, values.size()) - 1);
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

}  // namespace

double Timing::least() const { return quantile(0); }

double Timing::quantile(double q) const { return quantile_of(runs, q); }

Result<std::vector<Timing>> measure_in_turn(const std::vector<std::function<Status()>>& jobs,
                                            double seconds) {
  constexpr std::size_t kLeast = 5;
  double wanted = 1000 * seconds * static_cast<double>(jobs.size());
  std::vector<Timing> timings(jobs.size());
  for (bool warm : {false, true}) {
    double enough = warm ? wanted : wanted / 10;
    for (Timing& timing : timings) {
      timing.runs.clear();
    }
    for (Clock::time_point begin = Clock::now();
         milliseconds_since(begin) < enough || timings[0].runs.size() < (warm ? kLeast : 1);) {
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        Clock::time_point start = Clock::now();
        ZP_RETURN_IF_ERROR(jobs[i]());
        timings[i].runs.push_back(milliseconds_since(start));
      }
    }
  }
  return timings;
}

double ratio_of(const Timing& a, const Timing& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a.runs.size() && i < b.runs.size(); ++i) {
    ratios.push_back(a.runs[i] / b.runs[i]);
  }
  return quantile_of(std::move(ratios), 0.5);
}

}  // namespace zeropoint::cli
