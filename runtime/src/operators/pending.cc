// Rows of the table whose evaluation is still to be written.

#include "operators/operators.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> pending(const OperatorCall& /*call*/) {
  return Status::unsupported("there is no evaluation of it yet");
}

}  // namespace zeropoint::operators
