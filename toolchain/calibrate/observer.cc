#include <algorithm>
#include <memory>

#include "zeropoint/toolchain/calibrate.h"

namespace zeropoint::toolchain {

void MinMaxObserver::observe(std::span<const float> values) {
  for (float value : values) {
    range_.r_min = std::min(range_.r_min, value);
    range_.r_max = std::max(range_.r_max, value);
  }
}

Status MinMaxObserver::merge(const Observer& other) {
  const auto* same = dynamic_cast<const MinMaxObserver*>(&other);
  if (same == nullptr) {
    return Status::invalid_argument("only statistics of one calibration method can be merged");
  }
  range_.r_min = std::min(range_.r_min, same->range_.r_min);
  range_.r_max = std::max(range_.r_max, same->range_.r_max);
  return {};
}

Result<std::unique_ptr<Observer>> make_observer(std::string_view method) {
  if (method == "minmax") {
    return std::unique_ptr<Observer>(std::make_unique<MinMaxObserver>());
  }
  return Status::invalid_argument("there is no calibration method '" + std::string(method) + "'; use minmax");
}

}  // namespace zeropoint::toolchain
