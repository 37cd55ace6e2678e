#include "zeropoint/toolchain/to_float32.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/catch_exceptions.h"
#include "zeropoint/half.h"

namespace zeropoint::toolchain {
namespace {

Tensor rounded(const Tensor& tensor) {
  Tensor result(ElementType::kFloat32, tensor.shape());
  std::span<const double> in = tensor.data<double>();
  std::transform(in.begin(), in.end(), result.data<float>().begin(),
                 [](double element) { return static_cast<float>(element); });
  return result;
}

}  // namespace

Result<Tensor> to_float32(const Tensor& tensor) {
  return catch_exceptions("to_float32", [&]() -> Result<Tensor> {
    switch (tensor.type()) {
      case ElementType::kFloat32:
        return tensor;
      case ElementType::kFloat16:
      case ElementType::kBFloat16:
        return widen(tensor);
      case ElementType::kFloat64:
        return rounded(tensor);
      default:
        return Status::invalid_argument(
            fmt::format("cannot read {} elements as float32: only floating-point tensors convert",
                        name_of(tensor.type())));
    }
  });
}

}  // namespace zeropoint::toolchain
