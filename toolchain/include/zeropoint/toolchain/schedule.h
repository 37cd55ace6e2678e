#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// How the learning rate changes during training. A value type.
class Schedule {
 public:
  /// What a schedule counts: its position goes up after each step (batch) or after each epoch.
  enum class Unit : std::uint8_t { kStep, kEpoch };

  /// The rate at `position` in [0, total), where `base` is the rate that training was started with.
  using Rate = std::function<double(double base, std::int64_t position, std::int64_t total)>;

  /// The base rate throughout.
  Schedule();
  /// Any rule; `text` describes it in messages and checkpoints.
  Schedule(std::string text, Unit unit, Rate rate);

  [[nodiscard]] Unit unit() const { return unit_; }
  [[nodiscard]] double rate(double base, std::int64_t position, std::int64_t total) const {
    return rate_(base, position, total);
  }
  /// The text form, from which parse() makes the same schedule unless it is a rule of one's own.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  Unit unit_;
  Rate rate_;
};

/// base * factor(position), torch's LambdaLR.
Schedule lambda_schedule(std::function<double(std::int64_t position)> factor, Schedule::Unit unit);

/// base * gamma^floor(position / size), torch's StepLR.
Schedule step_schedule(std::int64_t size, double gamma, Schedule::Unit unit);

/// low + (base - low) (1 + cos(pi position / period)) / 2, torch's CosineAnnealingLR (Loshchilov and Hutter
/// 2017, equation 5). Period 0 means the whole training.
Schedule cosine_schedule(double low, std::int64_t period, Schedule::Unit unit);

/// torch's OneCycleLR in two phases (Smith and Topin 2019): from peak / div_factor up to peak over the first
/// pct_start of the training, then down to peak / div_factor / final_div_factor, by cosine or on straight
/// lines. The base rate plays no part; momentum is left alone.
struct OneCycleOptions {
  double peak = 0;
  double pct_start = 0.3;
  double div_factor = 25;
  double final_div_factor = 1e4;
  bool linear = false;
};
Schedule one_cycle_schedule(OneCycleOptions options, Schedule::Unit unit);

/// A schedule from its text form, "name" or "name:key=value,key=value":
///
///     constant
///     step:size=2,gamma=0.5,per=epoch            size is required; gamma 0.1
///     cosine:min=0,period=0,per=epoch
///     onecycle:max=0.1,pct=0.3,div=25,final_div=10000,anneal=cos,per=step     max is required
///
/// `per` is step or epoch. kInvalidArgument names an unknown schedule or key, a key that is missing or given
/// twice, or a value that is not possible, and says what is.
Result<Schedule> parse_schedule(std::string_view text);

}  // namespace zeropoint::toolchain
