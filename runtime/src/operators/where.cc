// ONNX Where: the condition picks from two inputs, all broadcast.

#include "operators/broadcast.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

template <typename T>
void where_row(std::span<const std::byte* const> inputs, std::byte* output, std::int64_t count) {
  const auto* condition = reinterpret_cast<const std::uint8_t*>(inputs[0]);
  const T* x = reinterpret_cast<const T*>(inputs[1]);
  const T* y = reinterpret_cast<const T*>(inputs[2]);
  T* out = reinterpret_cast<T*>(output);
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = condition[i] != 0 ? x[i] : y[i];
  }
}

}  // namespace

Result<std::vector<Tensor>> where(const OperatorCall& call) {
  ElementType type = call.input(1).type();
  if (call.input(0).type() != ElementType::kBool || call.input(2).type() != type) {
    return Status::invalid_argument("it needs a bool condition and two inputs of one type");
  }
  return visit_width(type, [&](auto element) -> Result<std::vector<Tensor>> {
    return broadcast(call, type, where_row<decltype(element)>);
  });
}

}  // namespace zeropoint::operators
