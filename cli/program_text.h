#pragma once

#include <nlohmann/json_fwd.hpp>

#include "zeropoint/program.h"

namespace zeropoint::cli {

/// Prints each operation of a program: what it makes, its weights, and how far its sums can go.
void print_operations(const Program& program);

/// Prints one line: which layer's sums go farthest, and which needed more than int32.
void print_accumulators(const Program& program);

/// What print_operations() prints, as a list.
nlohmann::ordered_json operations_json(const Program& program);

}  // namespace zeropoint::cli
