// ONNX QuantizeLinear and DequantizeLinear: the affine mapping of affine.h, per tensor, per index of an axis,
// or per block along it. Scales are float32, reals float32.

#include <optional>

#include "operators/operators.h"
#include "operators/visit_type.h"
#include "zeropoint/affine_tensor.h"

namespace zeropoint::operators {
namespace {

/// Which elements share parameters, from the shape of the scale.
Granularity granularity_of(const OperatorCall& call) {
  const Shape& scale = call.input(1).shape();
  std::int64_t block = call.int_attribute("block_size");
  std::int64_t axis = call.int_attribute("axis");
  if (block > 0) {
    return Granularity::per_group(axis, block);
  }
  // A scale of one element is per tensor whether it is written as [] or as [1].
  bool single = scale.empty() || (scale.size() == 1 && scale[0] == 1);
  return single ? Granularity::per_tensor() : Granularity::per_channel(axis);
}

/// Scale and zero point of each parameter index, and which element has which.
struct Parameters {
  ParamsLayout layout;
  std::vector<QuantParams> params;

  static Result<Parameters> of(const OperatorCall& call, ElementType integers) {
    const Tensor& scale = call.input(1);
    if (scale.type() != ElementType::kFloat32) {
      return Status::unsupported("its scale must be float32, not ", name_of(scale.type()));
    }
    ZP_ASSIGN_OR_RETURN(ParamsLayout layout, ParamsLayout::of(call.input(0).shape(), granularity_of(call)));
    bool fits = scale.size() == layout.count() &&
                (!call.has(2) || (call.input(2).size() == scale.size() && call.input(2).type() == integers));
    if (!fits) {
      return Status::invalid_argument("scale ", scale.shape(),
                                      (call.has(2) ? " and zero point " + to_string(call.input(2).shape()) +
                                                         " of " + std::string(name_of(call.input(2).type()))
                                                   : ""),
                                      " do not fit input ", call.input(0).shape());
    }
    Parameters parameters{std::move(layout), {}};
    for (float s : scale.data<float>()) {
      parameters.params.push_back({s, 0});
    }
    if (call.has(2)) {
      visit_integer(integers, [&](auto element) {
        std::span<const decltype(element)> zero_points = call.input(2).data<decltype(element)>();
        for (std::size_t i = 0; i < zero_points.size(); ++i) {
          parameters.params[i].zero_point = static_cast<std::int64_t>(zero_points[i]);
        }
      });
    }
    return parameters;
  }

  /// Calls function(element, params) for each of `count` elements.
  template <typename Function>
  void for_each(std::int64_t count, Function&& function) const {
    if (params.size() == 1) {
      for (std::int64_t i = 0; i < count; ++i) {
        function(i, params[0]);
      }
      return;
    }
    for (std::int64_t i = 0; i < count; ++i) {
      function(i, params[static_cast<std::size_t>(layout.index_of(i))]);
    }
  }
};

/// The types that numbers are quantized to.
bool is_quantized_type(ElementType type) { return is_integer(type) && size_of(type) <= 4; }

Status not_quantized(ElementType type) {
  return Status::unsupported(name_of(type), " is not a quantized type");
}

}  // namespace

Result<std::vector<Tensor>> quantize_linear(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  auto declared = static_cast<ElementType>(call.int_attribute("output_dtype"));
  ElementType type = call.has(2) ? call.input(2).type()
                                 : (call.int_attribute("output_dtype") != 0 ? declared : ElementType::kUint8);
  if (!is_quantized_type(type)) {
    return not_quantized(type);
  }
  if (x.type() != ElementType::kFloat32 && x.type() != ElementType::kInt32) {
    return Status::unsupported(name_of(x.type()), " cannot be quantized here; float32 can");
  }
  ZP_ASSIGN_OR_RETURN(Parameters parameters, Parameters::of(call, type));
  Tensor y(type, x.shape());
  QuantizedRange range = storage_range(type);
  bool reals = x.type() == ElementType::kFloat32;
  visit_integer(type, [&](auto element) {
    using T = decltype(element);
    T* out = y.data<T>().data();
    const std::byte* in = x.bytes();
    parameters.for_each(x.size(), [&](std::int64_t i, QuantParams params) {
      float real = reals ? reinterpret_cast<const float*>(in)[i]
                         : static_cast<float>(reinterpret_cast<const std::int32_t*>(in)[i]);
      out[i] = static_cast<T>(quantize(real, params, range));
    });
  });
  return one(std::move(y));
}

Result<std::vector<Tensor>> dequantize_linear(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  if (!is_quantized_type(x.type())) {
    return not_quantized(x.type());
  }
  ZP_ASSIGN_OR_RETURN(Parameters parameters, Parameters::of(call, x.type()));
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(ElementType::kFloat32, x.shape()));
  visit_integer(x.type(), [&](auto element) {
    using T = decltype(element);
    const T* in = x.data<T>().data();
    float* out = y.data<float>().data();
    parameters.for_each(x.size(), [&](std::int64_t i, QuantParams params) {
      out[i] = dequantize(static_cast<std::int64_t>(in[i]), params);
    });
  });
  return one(std::move(y));
}

}  // namespace zeropoint::operators
