// ONNX Cast and CastLike.

#include <algorithm>

#include "operators/broadcast.h"
#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/wide.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> cast(const OperatorCall& call) {
  std::int64_t to =
      call.op() == Op::kCast ? call.int_attribute("to") : static_cast<std::int64_t>(call.input(1).type());
  std::optional<ElementType> type = element_type_of(to);
  if (!type) {
    return Status::unsupported("attribute to is ", to, ", which is no element type here");
  }
  const Tensor& x = call.input(0);
  return map_elements(call, *type,
                      [from = x.type(), to = *type](std::span<const std::byte* const> inputs,
                                                    std::byte* output, std::int64_t count) {
                        if (from == to) {
                          std::copy_n(inputs[0], static_cast<std::size_t>(count) * size_of(to), output);
                        } else {
                          convert(inputs[0], from, output, to, count);
                        }
                      });
}

}  // namespace zeropoint::operators
