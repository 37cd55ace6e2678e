#pragma once

#include <functional>
#include <span>
#include <vector>

#include "zeropoint/program.h"

namespace zeropoint {

/// Sees each tensor of a run as it is made, inputs included.
using TensorObserver = std::function<void(TensorId, const Tensor&)>;

/// Runs a program in plain loops: the norm that every kernel equals bit for bit. Inputs are [batch,
/// sample_shape...], all of one batch; so are the results. Programs that verify() refuses and inputs that do
/// not fit are kInvalidArgument.
Result<std::vector<Tensor>> run_reference(const Program& program, std::span<const Tensor> inputs,
                                          const TensorObserver& observer = {});

}  // namespace zeropoint
