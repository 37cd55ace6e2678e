#pragma once

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Before: constants, or values that no node makes, that nothing reads.
/// After:  they are gone; the other values keep their order. Ids change.
void remove_unread_values(Graph& graph);

}  // namespace zeropoint::toolchain
