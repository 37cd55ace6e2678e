// ONNX MaxPool, with the positions of the largest elements as its second output.

#include <limits>

#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/window_taps.h"

namespace zeropoint::operators {
namespace {

/// Offset in column-major order of the row-major `offset` in a plane of `extents`.
std::int64_t column_major(std::int64_t offset, const std::vector<std::int64_t>& extents) {
  std::int64_t result = 0;
  std::int64_t step = product(extents);
  for (std::size_t i = extents.size(); i-- > 0;) {
    step /= extents[i];
    result += offset % extents[i] * step;
    offset /= extents[i];
  }
  return result;
}

template <typename T>
void pool(const Tensor& x, const WindowGeometry& window, bool columns_first, Tensor& y, Tensor* indices) {
  std::int64_t in_plane = product(window.input);
  T* out = y.data<T>().data();
  std::int64_t* index = indices == nullptr ? nullptr : indices->data<std::int64_t>().data();
  for (std::int64_t plane = 0; plane < x.dim(0) * x.dim(1); ++plane) {
    const T* in = x.data<T>().data() + plane * in_plane;
    Positions at(window.output);
    do {
      T largest = std::numeric_limits<T>::lowest();
      std::int64_t where = -1;
      Positions tap(window.kernel);
      do {
        std::int64_t offset = input_offset(window, *at, *tap);
        if (offset >= 0 && (where < 0 || in[offset] > largest)) {
          largest = in[offset];
          where = offset;
        }
      } while (tap.next());
      *out++ = largest;
      if (index != nullptr) {
        *index++ = plane * in_plane + (columns_first ? column_major(where, window.input) : where);
      }
    } while (at.next());
  }
}

}  // namespace

Result<std::vector<Tensor>> max_pool(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(call.op(), call.attributes(), x.shape(), {}));
  Shape shape{x.dim(0), x.dim(1)};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  std::vector<Tensor> outputs;
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(x.type(), shape));
  outputs.push_back(std::move(y));
  if (call.output_count() > 1) {
    ZP_ASSIGN_OR_RETURN(Tensor indices, call.make_output(ElementType::kInt64, std::move(shape)));
    outputs.push_back(std::move(indices));
  }
  auto pool_elements = [&](auto element) -> Result<std::vector<Tensor>> {
    if (outputs[0].size() != 0) {
      pool<decltype(element)>(x, window, call.int_attribute("storage_order") != 0, outputs[0],
                              outputs.size() > 1 ? &outputs[1] : nullptr);
    }
    return std::move(outputs);
  };
  // Narrower integers do not come here (evaluate.cc).
  switch (x.type()) {
    case ElementType::kInt64:
      return pool_elements(std::int64_t{});
    case ElementType::kUint64:
      return pool_elements(std::uint64_t{});
    default:
      return visit_float(x.type(), pool_elements);
  }
}

}  // namespace zeropoint::operators
