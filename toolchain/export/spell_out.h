#pragma once

#include <cstdint>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Before: float32 operators that came after `opset`, and that formulas of older ones say: Gelu, HardSwish,
///         LayerNormalization, Mish, RMSNormalization, Swish.
/// After:  those formulas, as simplify() finds them.
/// What reads or makes float16, or has axes that are not known, stays. Infers shapes where something changed.
Status spell_out(Graph& graph, std::int64_t opset);

}  // namespace zeropoint::toolchain
