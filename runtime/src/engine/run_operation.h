#pragma once

#include <span>
#include <vector>

#include "zeropoint/program.h"

namespace zeropoint::engine {

/// Runs one operation of a verified program by the reference's functions. `values` are the tensors by their
/// ids, of which the operation's inputs must be there. Gives its outputs in the order of outputs_of().
/// `largest_output` in bytes as OperatorCall's, for operations whose attributes can make much of little.
Result<std::vector<Tensor>> run_operation(const Program& program, const Operation& operation,
                                          std::span<const Tensor* const> values, std::size_t largest_output);

}  // namespace zeropoint::engine
