#pragma once

#include <span>
#include <string>
#include <vector>

#include "zeropoint/status.h"

namespace zeropoint {

/// An equation of ONNX Einsum with its ellipses spelled out: every axis has a label, and axes of one label
/// run together. Labels are 0 to 51 for letters (A-Z, a-z), and from 52 on for the axes of an ellipsis,
/// counted from the last.
struct EinsumEquation {
  std::vector<std::vector<int>> inputs;
  std::vector<int> output;

  /// For operands of these ranks. Without "->" the output has the axes of the ellipsis and, in alphabetic
  /// order, the letters that occur once. kInvalidArgument where the equation is malformed or does not fit the
  /// ranks.
  static Result<EinsumEquation> parse(const std::string& equation, std::span<const std::size_t> ranks);
};

}  // namespace zeropoint
