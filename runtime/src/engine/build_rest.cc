#include "engine/builder.h"
namespace zeropoint::engine {
bool build_softmax(Builder&, const SoftmaxOp&) { return false; }
bool build_normalize(Builder&, const NormalizeOp&) { return false; }
bool build_mat_mul(Builder&, const MatMulOp&) { return false; }
}  // namespace zeropoint::engine
