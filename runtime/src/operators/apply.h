#pragma once

#include "zeropoint/operator.h"

namespace zeropoint::operators {

/// An operator as a part of another: evaluated within the limits of the call `within`.
inline Result<std::vector<Tensor>> apply(Op op, const Attributes& attributes,
                                         const std::vector<const Tensor*>& inputs, const OperatorCall& within,
                                         std::size_t outputs = 1) {
  return evaluate(OperatorCall(op, attributes, inputs, outputs, within.largest_output()));
}

}  // namespace zeropoint::operators
