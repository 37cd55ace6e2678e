#pragma once

#include <functional>
#include <span>
#include <vector>

#include "zeropoint/program.h"

namespace zeropoint {

/// Sees each tensor of a run as it is made, inputs included.
using TensorObserver = std::function<void(TensorId, const Tensor&)>;

/// Runs a program in plain loops: the norm that every kernel equals bit for bit. Inputs have the types and,
/// but for their open extents, the shapes of the program's inputs. Programs that verify() refuses, and
/// tensors that do not fit the program or each other, are kInvalidArgument.
Result<std::vector<Tensor>> run_reference(const Program& program, std::span<const Tensor> inputs,
                                          const TensorObserver& observer = {});

}  // namespace zeropoint
