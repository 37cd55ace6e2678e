#pragma once

#include "zeropoint/operator.h"

namespace zeropoint::operators {

// The evaluations of ops.inc: from a call whose number of inputs is right to its outputs. Anything else about
// the inputs is theirs to check.
#define ZP_OP(name, domain, since, min_inputs, max_inputs, max_outputs, rule, evaluation, ...) \
  Result<std::vector<Tensor>> evaluation(const OperatorCall& call);
#include "zeropoint/ops.inc"

}  // namespace zeropoint::operators
