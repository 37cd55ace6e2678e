#include "zeropoint/toolchain/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace zeropoint::toolchain {
namespace {

std::string_view name_of(Schedule::Unit unit) { return unit == Schedule::Unit::kStep ? "step" : "epoch"; }

/// From `begin` at share 0 to `end` at share 1.
double anneal(double begin, double end, double share, bool linear) {
  return linear ? begin + (end - begin) * share
                : end + (begin - end) / 2 * (1 + std::cos(std::numbers::pi * share));
}

double one_cycle_rate(const OneCycleOptions& options, std::int64_t position, std::int64_t total) {
  double first = options.peak / options.div_factor;
  double last = first / options.final_div_factor;
  // The phases end on the steps that PyTorch counts: pct_start total - 1, and the last one.
  double top = options.pct_start * static_cast<double>(total) - 1;
  auto end = static_cast<double>(total - 1);
  double at = std::min(static_cast<double>(position), end);
  if (at <= top) {
    return top <= 0 ? options.peak : anneal(first, options.peak, at / top, options.linear);
  }
  return end <= top ? last : anneal(options.peak, last, (at - top) / (end - top), options.linear);
}

}  // namespace

Schedule::Schedule()
    : Schedule("constant", Unit::kEpoch, [](double base, std::int64_t, std::int64_t) { return base; }) {}

Schedule::Schedule(std::string text, Unit unit, Rate rate)
    : text_(std::move(text)), unit_(unit), rate_(std::move(rate)) {}

Schedule lambda_schedule(std::function<double(std::int64_t position)> factor, Schedule::Unit unit) {
  return {"lambda", unit, [factor = std::move(factor)](double base, std::int64_t position, std::int64_t) {
            return base * factor(position);
          }};
}

Schedule step_schedule(std::int64_t size, double gamma, Schedule::Unit unit) {
  return {fmt::format("step:size={},gamma={},per={}", size, gamma, name_of(unit)), unit,
          [size, gamma](double base, std::int64_t position, std::int64_t) {
            std::int64_t decays = position / size;
            return base * std::pow(gamma, static_cast<double>(decays));
          }};
}

Schedule cosine_schedule(double low, std::int64_t period, Schedule::Unit unit) {
  return {fmt::format("cosine:min={},period={},per={}", low, period, name_of(unit)), unit,
          [low, period](double base, std::int64_t position, std::int64_t total) {
            auto whole = static_cast<double>(period > 0 ? period : total);
            return anneal(base, low, static_cast<double>(position) / whole, false);
          }};
}

Schedule one_cycle_schedule(OneCycleOptions options, Schedule::Unit unit) {
  return {fmt::format("onecycle:max={},pct={},div={},final_div={},anneal={},per={}", options.peak,
                      options.pct_start, options.div_factor, options.final_div_factor,
                      options.linear ? "linear" : "cos", name_of(unit)),
          unit, [options](double /*base*/, std::int64_t position, std::int64_t total) {
            return one_cycle_rate(options, position, total);
          }};
}

}  // namespace zeropoint::toolchain
