#pragma once

#include <string>
#include <vector>

#include "zeropoint/toolchain/quantize_network.h"

namespace zeropoint::toolchain {

/// Layers that lose too much by themselves, and the recipe that gives them more bits.
struct Endangered {
  std::string worst;    ///< the tensor
  double worst_db = 0;  ///< its own signal over its own error, all else in float
  std::size_t layers = 0;
  Recipe cure;  ///< the recipe, and 16 bits for what loses too much; as it was where nothing can be raised
  std::size_t raised = 0;  ///< layers that it raises
};

/// Whether layers can be measured in little time: one sample makes ten million values at most.
bool is_quick_to_measure(const Graph& graph);

/// What 8 bits do to each layer of `network` alone, measured on the first few samples of `evidence` beside
/// `reference`, the float network that it was planned for. A layer is in danger below 20 dB, where its error
/// has more than a hundredth of its signal's power; sound layers of 8 bits have 21 to 50. Its result gets
/// int16 where rounding and clipping do that, its weights 16 bits where they do; overrides of the recipe
/// stay.
Result<Endangered> find_endangered(const Graph& reference, const QuantizedNetwork& network,
                                   const Recipe& recipe, const Evidence& evidence);

/// The signal-to-noise ratio of the network's first output on these samples, in dB.
Result<double> output_sqnr(const Graph& reference, const QuantizedNetwork& network, const Evidence& evidence);

}  // namespace zeropoint::toolchain
