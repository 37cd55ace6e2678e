// ONNX Cast and CastLike.

#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/wide.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> cast(const OperatorCall& call) {
  std::int64_t to =
      call.op() == Op::kCast ? call.int_attribute("to") : static_cast<std::int64_t>(call.input(1).type());
  std::optional<ElementType> type = element_type_of(to);
  if (!type) {
    return Status::unsupported("attribute to is " + std::to_string(to) + ", which is no element type here");
  }
  const Tensor& x = call.input(0);
  if (size_of(*type) > size_of(x.type())) {
    ZP_RETURN_IF_ERROR(call.make_output(*type, x.shape()).status());
  }
  return one(convert(x, *type));
}

}  // namespace zeropoint::operators
