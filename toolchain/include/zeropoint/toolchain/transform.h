#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// x / divisor: 255 takes bytes to [0, 1].
struct Scale {
  float divisor = 255;
};

/// x * factor, where the division's last bit is not asked for.
struct Multiply {
  float factor = 1;
};

/// (x - mean) / std, each with one entry per channel or one entry for all channels.
struct Normalize {
  std::vector<float> mean;
  std::vector<float> std;
};

/// What is done to a sample before the network sees it, as data: steps applied in order, each in float32. The
/// steps {Scale{255}, Normalize{...}} give bit for bit what torchvision's ToTensor and Normalize give.
struct Transform {
  std::vector<std::variant<Scale, Multiply, Normalize>> steps;

  /// kInvalidArgument, naming the step, when a number is not finite, a divisor or factor is 0, a std is not
  /// positive, or mean and std do not have 1 or `channels` entries.
  [[nodiscard]] Status validate(std::int64_t channels) const;

  /// Transforms one sample of `channels` equally long planes [channels, ...] in place. The transform must be
  /// valid for `channels`.
  void apply(std::span<float> sample, std::int64_t channels) const;

  /// "x/255, mean 0.1307, std 0.3081"; "as it is" when there are no steps.
  [[nodiscard]] std::string to_string() const;
};

}  // namespace zeropoint::toolchain
