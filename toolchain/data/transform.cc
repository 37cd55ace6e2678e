#include "zeropoint/toolchain/transform.h"

#include <fmt/format.h>

#include <cassert>
#include <cmath>

namespace zeropoint::toolchain {
namespace {

Status validate_step(const Scale& step, std::int64_t /*channels*/) {
  if (!std::isfinite(step.divisor) || step.divisor == 0) {
    return Status::invalid_argument(fmt::format(
        "preprocessing: x/{} is not defined; the divisor must be finite and not 0", step.divisor));
  }
  return {};
}

Status validate_step(const Multiply& step, std::int64_t /*channels*/) {
  if (!std::isfinite(step.factor) || step.factor == 0) {
    return Status::invalid_argument(fmt::format(
        "preprocessing: x*{} keeps nothing of x; the factor must be finite and not 0", step.factor));
  }
  return {};
}

Status validate_values(const char* name, const std::vector<float>& values, std::int64_t channels) {
  if (values.size() != 1 && static_cast<std::int64_t>(values.size()) != channels) {
    return Status::invalid_argument(fmt::format(
        "preprocessing: {} has {} entries, the data {} channel(s); give one entry per channel or one "
        "for all",
        name, values.size(), channels));
  }
  for (float value : values) {
    if (!std::isfinite(value)) {
      return Status::invalid_argument(fmt::format("preprocessing: {} {} is not finite", name, value));
    }
  }
  return {};
}

Status validate_step(const Normalize& step, std::int64_t channels) {
  ZP_RETURN_IF_ERROR(validate_values("mean", step.mean, channels));
  ZP_RETURN_IF_ERROR(validate_values("std", step.std, channels));
  for (float value : step.std) {
    if (!(value > 0)) {
      return Status::invalid_argument(fmt::format("preprocessing: std {} must be greater than 0", value));
    }
  }
  return {};
}

float channel_entry(const std::vector<float>& values, std::size_t channel) {
  return values.size() == 1 ? values[0] : values[channel];
}

// Divisions, not products with the inverse: only they give the bits of the training framework.
void apply_step(const Scale& step, std::span<float> plane, std::size_t /*channel*/) {
  for (float& x : plane) {
    x /= step.divisor;
  }
}

void apply_step(const Multiply& step, std::span<float> plane, std::size_t /*channel*/) {
  for (float& x : plane) {
    x *= step.factor;
  }
}

void apply_step(const Normalize& step, std::span<float> plane, std::size_t channel) {
  float mean = channel_entry(step.mean, channel);
  float std = channel_entry(step.std, channel);
  for (float& x : plane) {
    x = (x - mean) / std;
  }
}

std::string step_text(const Scale& step) { return fmt::format("x/{}", step.divisor); }

std::string step_text(const Multiply& step) { return fmt::format("x*{}", step.factor); }

std::string step_text(const Normalize& step) {
  auto list = [](const std::vector<float>& values) {
    return values.size() == 1 ? fmt::format("{}", values[0]) : fmt::format("({})", fmt::join(values, ", "));
  };
  return fmt::format("mean {}, std {}", list(step.mean), list(step.std));
}

}  // namespace

Status Transform::validate(std::int64_t channels) const {
  for (const auto& step : steps) {
    ZP_RETURN_IF_ERROR(std::visit([&](const auto& it) { return validate_step(it, channels); }, step));
  }
  return {};
}

void Transform::apply(std::span<float> sample, std::int64_t channels) const {
  assert(validate(channels).ok() && channels > 0 && sample.size() % static_cast<std::size_t>(channels) == 0);
  std::size_t plane = sample.size() / static_cast<std::size_t>(channels);
  for (const auto& step : steps) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
      std::visit([&](const auto& it) { apply_step(it, sample.subspan(c * plane, plane), c); }, step);
    }
  }
}

std::string Transform::to_string() const {
  std::string text;
  for (const auto& step : steps) {
    text += (text.empty() ? "" : ", ") + std::visit([](const auto& it) { return step_text(it); }, step);
  }
  return text.empty() ? "as it is" : text;
}

}  // namespace zeropoint::toolchain
