// Operators between reals and integers.

#include <fmt/format.h>

#include "graph/shapes/shape_rules.h"
#include "zeropoint/half.h"

namespace zeropoint::toolchain {
namespace {

/// The integer types of up to 32 bits.
bool holds_quantized(ElementType type) { return is_integer(type) && size_of(type) <= 4; }

Status wants_real(const InferenceContext& context, std::size_t i) {
  return is_half(context.type(i)) ? Status() : wants(context, i, ElementType::kFloat32);
}

/// Scale and zero point of a QuantizeLinear or DequantizeLinear fit the input: a scalar, one per index of the
/// axis, or (block_size) one per block along it.
Status check_scales(const InferenceContext& context) {
  if (!context.dims(1)) {
    return {};
  }
  const Dims& scale = *context.dims(1);
  // One element is per tensor, whether it is written as [] or as [1]; tools mix the two.
  auto is_single = [](const Dims& d) { return d.empty() || (d.size() == 1 && d[0] == Dim(1)); };
  if (context.has(2) && context.dims(2) && *context.dims(2) != scale &&
      !(is_single(scale) && is_single(*context.dims(2)))) {
    return Status::invalid_argument(fmt::format("scale {} and zero point {} differ in shape",
                                                to_string(scale), to_string(*context.dims(2))));
  }
  if (is_single(scale) || !context.dims(0)) {
    return {};
  }
  const Dims& dims = *context.dims(0);
  ZP_ASSIGN_OR_RETURN(std::size_t axis, axis_of(int_attribute(context.node(), "axis"), dims));
  const Dim& along = dims[axis];
  std::int64_t block = int_attribute(context.node(), "block_size");
  bool fits = false;
  if (block == 0) {
    fits = scale.size() == 1 && may_equal(scale[0], along);
  } else if (block > 0) {
    fits = scale.size() == dims.size();
    for (std::size_t i = 0; fits && i < dims.size(); ++i) {
      bool counts_blocks = i == axis && along.known();
      Dim needed = counts_blocks ? Dim(along.extent / block + (along.extent % block != 0 ? 1 : 0)) : dims[i];
      fits = (i == axis && !along.known()) || may_equal(scale[i], needed);
    }
  }
  return fits ? Status()
              : Status::invalid_argument(fmt::format("scale {} does not fit input {} along axis {}",
                                                     to_string(scale), to_string(dims), axis));
}

}  // namespace

Status quantize_linear_shape(InferenceContext& context) {
  std::int64_t declared = int_attribute(context.node(), "output_dtype");
  ElementType type = context.has(2)
                         ? context.type(2)
                         : (declared != 0 ? static_cast<ElementType>(declared) : ElementType::kUint8);
  context.set_type(0, type);
  if (context.dims(0)) {
    context.set_dims(0, *context.dims(0));
  }
  if (context.type(0) != ElementType::kInt32) {
    ZP_RETURN_IF_ERROR(wants_real(context, 0));
  }
  ZP_RETURN_IF_ERROR(wants_real(context, 1));
  if (!holds_quantized(type)) {
    return context.has(2) ? wants(context, 2, ElementType::kInt8)
                          : Status::unsupported("output_dtype names no integer type of up to 32 bits");
  }
  return check_scales(context);
}

Status dequantize_linear_shape(InferenceContext& context) {
  context.set_type(0, context.type(1));
  if (context.dims(0)) {
    context.set_dims(0, *context.dims(0));
  }
  ZP_RETURN_IF_ERROR(wants_real(context, 1));
  if (!holds_quantized(context.type(0))) {
    return wants(context, 0, ElementType::kInt8);
  }
  if (context.has(2)) {
    ZP_RETURN_IF_ERROR(wants(context, 2, context.type(0)));
  }
  return check_scales(context);
}

}  // namespace zeropoint::toolchain
