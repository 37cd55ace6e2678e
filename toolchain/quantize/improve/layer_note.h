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

/// The notes in a sentence for people: how many layers were changed; each reason to leave others alone, with
/// how many. Empty where nothing was changed.
std::string summary(std::string_view improvement, const std::vector<LayerNote>& notes);

}  // namespace zeropoint::toolchain
