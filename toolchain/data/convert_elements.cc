#include "zeropoint/toolchain/convert_elements.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>

#include "data/boundary.h"
#include "zeropoint/half.h"

namespace zeropoint::toolchain {
namespace {

bool is_float(ElementType type) {
  return type == ElementType::kFloat32 || type == ElementType::kFloat64 || is_half(type);
}

/// Calls `function` with an element of the C++ type behind `type`, which is an integer or boolean type.
template <typename Function>
void visit_whole(ElementType type, Function&& function) {
  visit_integer(type == ElementType::kBool ? ElementType::kUint8 : type, std::forward<Function>(function));
}

/// Element `i` of floats of any width, exactly.
double float_at(ElementType type, const std::byte* elements, std::size_t i) {
  if (type == ElementType::kFloat64) {
    return reinterpret_cast<const double*>(elements)[i];
  }
  if (type == ElementType::kFloat32) {
    return static_cast<double>(reinterpret_cast<const float*>(elements)[i]);
  }
  std::uint16_t bits = reinterpret_cast<const std::uint16_t*>(elements)[i];
  return static_cast<double>(std::bit_cast<float>(
      type == ElementType::kFloat16 ? float16_to_float32_bits(bits) : bfloat16_to_float32_bits(bits)));
}

template <typename T>
void set_float(ElementType type, std::byte* elements, std::size_t i, T value) {
  if (type == ElementType::kFloat64) {
    reinterpret_cast<double*>(elements)[i] = static_cast<double>(value);
  } else if (type == ElementType::kFloat32) {
    reinterpret_cast<float*>(elements)[i] = static_cast<float>(value);
  } else {
    auto narrow_value = static_cast<float>(value);
    reinterpret_cast<std::uint16_t*>(elements)[i] = type == ElementType::kFloat16
                                                        ? float32_to_float16_bits(narrow_value)
                                                        : float32_to_bfloat16_bits(narrow_value);
  }
}

template <typename To, typename From>
Status convert_integers(std::span<const From> in, To* out, ElementType to) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!std::in_range<To>(in[i])) {
      return Status::invalid_argument(fmt::format("element {} is {}, which is no {}", i, in[i], name_of(to)));
    }
    out[i] = static_cast<To>(in[i]);
  }
  return {};
}

}  // namespace

Status check_convertible(ElementType from, ElementType to) {
  bool from_float = is_float(from);
  bool fits = from == to || (is_float(to) ? true : !from_float && is_integer(to) && size_of(to) > 0);
  return fits && (from == to || (to != ElementType::kInt4 && to != ElementType::kUint4))
             ? Status()
             : Status::invalid_argument(
                   fmt::format("{} elements are not taken as {}", name_of(from), name_of(to)));
}

Status convert_elements(ElementType from, std::span<const std::byte> in, ElementType to,
                        std::span<std::byte> out) {
  ZP_RETURN_IF_ERROR(check_convertible(from, to));
  std::size_t count = in.size() / size_of(from);
  assert(out.size() == count * size_of(to));
  if (from == to) {
    std::ranges::copy(in, out.begin());
    return {};
  }
  if (is_float(from)) {
    for (std::size_t i = 0; i < count; ++i) {
      set_float(to, out.data(), i, float_at(from, in.data(), i));
    }
    return {};
  }
  Status status;
  visit_whole(from, [&](auto from_zero) {
    using From = decltype(from_zero);
    std::span<const From> elements(reinterpret_cast<const From*>(in.data()), count);
    if (is_float(to)) {
      for (std::size_t i = 0; i < count; ++i) {
        set_float(to, out.data(), i, elements[i]);
      }
      return;
    }
    visit_whole(to, [&](auto to_zero) {
      using To = decltype(to_zero);
      status = convert_integers(elements, reinterpret_cast<To*>(out.data()), to);
    });
  });
  return status;
}

Result<Tensor> converted(const Tensor& tensor, ElementType to) {
  return without_exceptions("conversion", [&]() -> Result<Tensor> {
    ZP_RETURN_IF_ERROR(check_convertible(tensor.type(), to));
    Tensor result(to, tensor.shape());
    ZP_RETURN_IF_ERROR(convert_elements(tensor.type(), {tensor.bytes(), tensor.byte_size()}, to,
                                        {result.bytes(), result.byte_size()}));
    return result;
  });
}

}  // namespace zeropoint::toolchain
