#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/program.h"

namespace zeropoint::toolchain {

/// How far the sums of a layer can go, whatever its input holds.
struct AccumulatorBound {
  ElementType type;                  ///< what holds them: int32 or int64
  QuantizedRange range;              ///< over all channels
  std::int64_t channel = 0;          ///< whose sums go farthest
  std::int64_t channels_beyond = 0;  ///< whose sums can leave int32
};

/// An operation of a program in words and numbers.
struct OperationSummary {
  std::string output;        ///< name of the (first) tensor it makes
  std::string operation;     ///< "Conv 3x3/2", "FullyConnected", "Table", "Reshape"
  std::string result;        ///< type and shape of that tensor: "int8[?, 8, 6, 6]"
  bool in_float = false;     ///< see is_in_float()
  std::int64_t weights = 0;  ///< elements of its constants
  int weight_bits = 0;       ///< of each in a program file; 0: there are none
  std::optional<AccumulatorBound> accumulator;
};

/// Whether an operation works on reals, but for where they become integers or the other way round.
bool is_in_float(const Program& program, const Operation& operation);

/// What each operation of a sound program is, in its order.
std::vector<OperationSummary> summarize(const Program& program);

}  // namespace zeropoint::toolchain
