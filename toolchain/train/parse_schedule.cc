#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "zeropoint/toolchain/schedule.h"

namespace zeropoint::toolchain {
namespace {

/// The keys and values after the name, each taken out when it is read, so that what is left is unknown.
class Settings {
 public:
  static Result<Settings> of(std::string_view name, std::string_view text) {
    Settings settings(name);
    while (!text.empty()) {
      std::string_view item = text.substr(0, text.find(','));
      text.remove_prefix(std::min(text.size(), item.size() + 1));
      std::size_t equals = item.find('=');
      if (equals == std::string_view::npos || equals == 0 || equals + 1 == item.size()) {
        return Status::invalid_argument(
            fmt::format("schedule {}: '{}' is not of the form key=value", name, item));
      }
      std::string key(item.substr(0, equals));
      if (!settings.values_.emplace(key, item.substr(equals + 1)).second) {
        return Status::invalid_argument(fmt::format("schedule {}: '{}' is given twice", name, key));
      }
    }
    return settings;
  }

  /// A number in [low, high]; `fallback` when it is not given, which NaN forbids.
  Result<double> number(const std::string& key, double fallback, double low, double high) {
    known_.push_back(key);
    auto found = values_.find(key);
    if (found == values_.end()) {
      return std::isnan(fallback) ? Result<double>(Status::invalid_argument(
                                        fmt::format("schedule {0} needs {1}, as in {0}:{1}=...", name_, key)))
                                  : Result<double>(fallback);
    }
    std::string text = std::move(found->second);
    values_.erase(found);
    double value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= low && value <= high)) {
      return Status::invalid_argument(fmt::format("schedule {}: {} is '{}'; a number in [{}, {}] is needed",
                                                  name_, key, text, low, high));
    }
    return value;
  }

  Result<std::int64_t> whole(const std::string& key, double fallback, std::int64_t low) {
    constexpr double kMost = 1e15;  // well inside the integers that a double holds exactly
    ZP_ASSIGN_OR_RETURN(double value, number(key, fallback, static_cast<double>(low), kMost));
    if (value != std::floor(value)) {
      return Status::invalid_argument(
          fmt::format("schedule {}: {} is {}; a whole number is needed", name_, key, value));
    }
    return static_cast<std::int64_t>(value);
  }

  /// True when the value is `second`, false when it is `first` or not given.
  Result<bool> choice(const std::string& key, std::string_view first, std::string_view second,
                      bool fallback) {
    known_.push_back(key);
    auto found = values_.find(key);
    if (found == values_.end()) {
      return fallback;
    }
    std::string text = std::move(found->second);
    values_.erase(found);
    if (text != first && text != second) {
      return Status::invalid_argument(
          fmt::format("schedule {}: {} is '{}'; {} or {} is needed", name_, key, text, first, second));
    }
    return text == second;
  }

  Result<Schedule::Unit> unit(Schedule::Unit fallback) {
    ZP_ASSIGN_OR_RETURN(bool per_epoch, choice("per", "step", "epoch", fallback == Schedule::Unit::kEpoch));
    return per_epoch ? Schedule::Unit::kEpoch : Schedule::Unit::kStep;
  }

  /// To be called when all has been read.
  [[nodiscard]] Status finish() const {
    if (values_.empty()) {
      return {};
    }
    return Status::invalid_argument(fmt::format(
        "schedule {} has no key '{}'; {}", name_, values_.begin()->first,
        known_.empty() ? std::string("it takes none") : fmt::format("it has {}", fmt::join(known_, ", "))));
  }

 private:
  explicit Settings(std::string_view name) : name_(name) {}

  std::string name_;
  std::map<std::string, std::string> values_;
  std::vector<std::string> known_;
};

constexpr double kRequired = std::numeric_limits<double>::quiet_NaN();
constexpr double kMostRate = 1e6;

Result<Schedule> constant(Settings& settings) {
  ZP_RETURN_IF_ERROR(settings.finish());
  return Schedule();
}

Result<Schedule> step(Settings& settings) {
  ZP_ASSIGN_OR_RETURN(std::int64_t size, settings.whole("size", kRequired, 1));
  ZP_ASSIGN_OR_RETURN(double gamma, settings.number("gamma", 0.1, 0, kMostRate));
  ZP_ASSIGN_OR_RETURN(Schedule::Unit unit, settings.unit(Schedule::Unit::kEpoch));
  ZP_RETURN_IF_ERROR(settings.finish());
  return step_schedule(size, gamma, unit);
}

Result<Schedule> cosine(Settings& settings) {
  ZP_ASSIGN_OR_RETURN(double low, settings.number("min", 0, 0, kMostRate));
  ZP_ASSIGN_OR_RETURN(std::int64_t period, settings.whole("period", 0, 0));
  ZP_ASSIGN_OR_RETURN(Schedule::Unit unit, settings.unit(Schedule::Unit::kEpoch));
  ZP_RETURN_IF_ERROR(settings.finish());
  return cosine_schedule(low, period, unit);
}

Result<Schedule> one_cycle(Settings& settings) {
  OneCycleOptions options;
  ZP_ASSIGN_OR_RETURN(options.peak, settings.number("max", kRequired, 0, kMostRate));
  ZP_ASSIGN_OR_RETURN(options.pct_start, settings.number("pct", options.pct_start, 0, 1));
  ZP_ASSIGN_OR_RETURN(options.div_factor, settings.number("div", options.div_factor, 1e-6, 1e12));
  ZP_ASSIGN_OR_RETURN(options.final_div_factor,
                      settings.number("final_div", options.final_div_factor, 1e-6, 1e12));
  ZP_ASSIGN_OR_RETURN(options.linear, settings.choice("anneal", "cos", "linear", false));
  ZP_ASSIGN_OR_RETURN(Schedule::Unit unit, settings.unit(Schedule::Unit::kStep));
  ZP_RETURN_IF_ERROR(settings.finish());
  return one_cycle_schedule(options, unit);
}

struct Kind {
  std::string_view name;
  Result<Schedule> (*make)(Settings& settings);
};
constexpr Kind kKinds[] = {
    {"constant", constant}, {"step", step}, {"cosine", cosine}, {"onecycle", one_cycle}};

}  // namespace

Result<Schedule> parse_schedule(std::string_view text) {
  std::string_view name = text.substr(0, text.find(':'));
  std::string_view rest = text.substr(std::min(text.size(), name.size() + 1));
  std::vector<std::string_view> names;
  for (const Kind& kind : kKinds) {
    if (kind.name == name) {
      ZP_ASSIGN_OR_RETURN(Settings settings, Settings::of(name, rest));
      return kind.make(settings);
    }
    names.push_back(kind.name);
  }
  return Status::invalid_argument(
      fmt::format("unknown schedule '{}'; there are {}", name, fmt::join(names, ", ")));
}

}  // namespace zeropoint::toolchain
