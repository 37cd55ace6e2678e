#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zeropoint::toolchain {

/// What an improvement did to a layer, or why it left it alone.
struct LayerNote {
  std::string layer;  ///< describe() of it
  bool changed = false;
  std::string what;
};

/// The notes as text for people: what was done, how often and where most; each reason to leave layers alone,
/// with how many. Empty where there are none.
std::string summary(std::string_view improvement, const std::vector<LayerNote>& notes);

}  // namespace zeropoint::toolchain
