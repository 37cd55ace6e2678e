#include "float/step_table.h"

namespace zeropoint::toolchain {

PrepareStep find_prepare(Op op) {
  switch (op) {
    case Op::kClip:
      return prepare_clip;
    case Op::kConv:
      return prepare_conv;
    case Op::kDequantizeLinear:
      return prepare_dequantize_linear;
    case Op::kFlatten:
      return prepare_flatten;
    case Op::kGemm:
      return prepare_gemm;
    case Op::kMaxPool:
      return prepare_max_pool;
    case Op::kQuantizeLinear:
      return prepare_quantize_linear;
    case Op::kRelu:
      return prepare_relu;
  }
  return nullptr;
}

}  // namespace zeropoint::toolchain
