#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zeropoint::toolchain {

/// The number of letters to insert, delete, replace or swap with their neighbour to get from `a` to `b`
/// (optimal string alignment distance).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `word`, or nothing when none is near enough to have been meant.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// The operator of that domain ("" for ONNX's own) whose name is nearest, or nothing.
std::string nearest_operator(std::string_view word, std::string_view domain = "");

}  // namespace zeropoint::toolchain
