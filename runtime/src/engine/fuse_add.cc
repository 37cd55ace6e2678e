#include "engine/fuse_add.h"

#include <cmath>

namespace zeropoint::engine {
namespace {

struct Factors {
  float a;
  float b;
  float fixed;
};

/// As operations.h defines AddOp.
Factors factors_of(const AddOp& op) {
  float ra = op.a_params.scale / op.to.params.scale;
  float rb = op.b_params.scale / op.to.params.scale;
  float fixed =
      static_cast<float>(op.to.params.zero_point) -
      (ra * static_cast<float>(op.a_params.zero_point) + rb * static_cast<float>(op.b_params.zero_point));
  return {ra, rb, fixed};
}

}  // namespace

bool is_tame(const Builder& builder, const AddOp& op) {
  Factors f = factors_of(op);
  double most =
      255 * (static_cast<double>(f.a) + static_cast<double>(f.b)) + std::abs(static_cast<double>(f.fixed));
  return is_byte(builder.type(op.a)) && is_byte(builder.type(op.b)) && is_byte(builder.type(op.output)) &&
         std::isfinite(most) && most < 0x1p29;
}

std::optional<FusedAdd> addition_behind(Builder& builder, TensorId id) {
  if (builder.readers(id).size() != 1 || builder.is_output(id)) {
    return std::nullopt;
  }
  const auto* op = std::get_if<AddOp>(&builder.program().operations[builder.readers(id)[0]]);
  if (op == nullptr) {
    return std::nullopt;
  }
  TensorId other = op->a == id ? op->b : op->a;
  bool same = other != id && builder.is_made(other) && builder.is_static(other) &&
              builder.shape(other) == builder.shape(id) && builder.is_static(op->output);
  if (!same || !is_tame(builder, *op)) {
    return std::nullopt;
  }
  return FusedAdd{op, other};
}

void set_addition(const Builder& builder, const AddOp& op, TensorId own, kernels::Epilogue& e) {
  Factors f = factors_of(op);
  bool own_first = op.a == own;
  TensorId other = own_first ? op.b : op.a;
  e.kind = kernels::EpilogueKind::kAdd;
  e.own_first = own_first;
  e.own_scale = own_first ? f.a : f.b;
  e.other_scale = own_first ? f.b : f.a;
  e.fixed = f.fixed;
  e.own_shift = shift_of(builder.type(own));
  e.other_shift = shift_of(builder.type(other));
  e.sum_shift = shift_of(builder.type(op.output));
  e.sum_low = static_cast<std::uint8_t>(op.to.range.q_min + e.sum_shift);
  e.sum_high = static_cast<std::uint8_t>(op.to.range.q_max + e.sum_shift);
}

}  // namespace zeropoint::engine
