#pragma once

#include <optional>

#include "engine/builder.h"
#include "kernels/epilogue.h"

namespace zeropoint::engine {

/// An AddOp that a layer's epilogue can compute along.
struct FusedAdd {
  const AddOp* op;
  TensorId other;  ///< the operand that the layer does not make
};

/// The addition that is all that reads `id`, where its other operand is made already and of the same shape.
std::optional<FusedAdd> addition_behind(Builder& builder, TensorId id);

/// Whether an addition's sums are small enough for kernels, whatever its operands hold.
bool is_tame(const Builder& builder, const AddOp& op);

/// Fills in the part of an epilogue that adds. `own` is the operand that the kernel computes.
void set_addition(const Builder& builder, const AddOp& op, TensorId own, kernels::Epilogue& epilogue);

}  // namespace zeropoint::engine
