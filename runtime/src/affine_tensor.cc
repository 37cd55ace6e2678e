#include "zeropoint/affine_tensor.h"

#include <algorithm>
#include <cmath>

namespace zeropoint {
namespace {

Status needs_float32(const Tensor& tensor) {
  if (tensor.type() == ElementType::kFloat32) {
    return {};
  }
  return Status::invalid_argument("a float32 tensor is needed, not ", name_of(tensor.type()));
}

Result<ParamsLayout> layout_for(const Tensor& tensor, const TensorParams& params) {
  ZP_ASSIGN_OR_RETURN(ParamsLayout layout, ParamsLayout::of(tensor.shape(), params.granularity));
  if (layout.count() != static_cast<std::int64_t>(params.params.size())) {
    return Status::invalid_argument("a tensor of shape ", tensor.shape(), " needs ", layout.count(),
                                    " scales, not ", params.params.size());
  }
  return layout;
}

/// Calls visit(begin, end, index) for neighbours that share the parameters `index`, in order:
/// layout.index_of() of each, without its divisions.
template <typename Visit>
void for_each_run(const Shape& shape, Granularity granularity, const ParamsLayout& layout, Visit&& visit) {
  auto size = static_cast<std::size_t>(*element_count(shape));
  if (granularity.kind == Granularity::Kind::kPerGroup) {
    for (std::size_t i = 0; i < size; ++i) {
      visit(i, i + 1, static_cast<std::size_t>(layout.index_of(static_cast<std::int64_t>(i))));
    }
    return;
  }
  auto count = static_cast<std::size_t>(layout.count());
  std::size_t run = size;
  if (granularity.kind == Granularity::Kind::kPerChannel) {
    auto rank = static_cast<std::int64_t>(shape.size());
    std::int64_t axis = granularity.axis + (granularity.axis < 0 ? rank : 0);
    run = 1;
    for (auto extent = shape.begin() + axis + 1; extent != shape.end(); ++extent) {
      run *= static_cast<std::size_t>(*extent);
    }
  }
  std::size_t index = 0;
  for (std::size_t begin = 0; begin < size; begin += run) {
    visit(begin, begin + run, index);
    index = index + 1 == count ? 0 : index + 1;
  }
}

}  // namespace

Result<ParamsLayout> ParamsLayout::of(const Shape& shape, Granularity granularity) {
  ParamsLayout layout;
  ZP_ASSIGN_OR_RETURN(std::int64_t elements, element_count(shape));
  if (granularity.kind == Granularity::Kind::kPerTensor) {
    layout.extent_ = layout.step_ = std::max<std::int64_t>(elements, 1);
    return layout;
  }
  auto rank = static_cast<std::int64_t>(shape.size());
  std::int64_t axis = granularity.axis + (granularity.axis < 0 ? rank : 0);
  if (axis < 0 || axis >= rank) {
    return Status::invalid_argument("axis ", granularity.axis, " is outside of shape ", shape);
  }
  auto at = static_cast<std::size_t>(axis);
  layout.extent_ = std::max<std::int64_t>(shape[at], 1);
  for (std::size_t i = at + 1; i < shape.size(); ++i) {
    layout.inner_ *= std::max<std::int64_t>(shape[i], 1);
  }
  if (granularity.kind == Granularity::Kind::kPerChannel) {
    layout.params_shape_ = {shape[at]};
    layout.count_ = shape[at];
    return layout;
  }
  if (granularity.group_size < 1) {
    return Status::invalid_argument("a group of ", granularity.group_size,
                                    " elements is not possible; the size must be 1 or more");
  }
  layout.step_ = granularity.group_size;
  // Not (extent + size - 1) / size: the size may be anything up to 2^63 - 1.
  std::int64_t groups = shape[at] / layout.step_ + (shape[at] % layout.step_ != 0 ? 1 : 0);
  layout.params_shape_ = shape;
  layout.params_shape_[at] = groups;
  layout.outer_stride_ = groups * layout.inner_;
  ZP_ASSIGN_OR_RETURN(layout.count_, element_count(layout.params_shape_));
  return layout;
}

Result<std::vector<RealRange>> ranges_of(const Tensor& tensor, Granularity granularity) {
  ZP_RETURN_IF_ERROR(needs_float32(tensor));
  ZP_ASSIGN_OR_RETURN(ParamsLayout layout, ParamsLayout::of(tensor.shape(), granularity));
  std::vector<RealRange> ranges(static_cast<std::size_t>(layout.count()));
  std::span<const float> values = tensor.data<float>();
  bool finite = true;
  for_each_run(tensor.shape(), granularity, layout,
               [&](std::size_t begin, std::size_t end, std::size_t index) {
                 RealRange range = ranges[index];
                 for (std::size_t i = begin; i < end; ++i) {
                   finite &= std::isfinite(values[i]);
                   range.r_min = std::min(range.r_min, values[i]);
                   range.r_max = std::max(range.r_max, values[i]);
                 }
                 ranges[index] = range;
               });
  if (!finite) {
    auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
    return Status::invalid_argument("element ", bad - values.begin(), " is ", *bad);
  }
  return ranges;
}

Result<TensorParams> choose_params(const Tensor& tensor, Granularity granularity, QuantizedType type,
                                   ParamsOptions options) {
  ZP_ASSIGN_OR_RETURN(std::vector<RealRange> ranges, ranges_of(tensor, granularity));
  TensorParams result{granularity, {}};
  for (const RealRange& range : ranges) {
    ZP_ASSIGN_OR_RETURN(QuantParams params, choose_params(range.r_min, range.r_max, type, options));
    result.params.push_back(params);
  }
  return result;
}

Result<Tensor> quantize(const Tensor& real, const TensorParams& params, QuantizedRange range,
                        ElementType storage) {
  ZP_RETURN_IF_ERROR(needs_float32(real));
  ZP_ASSIGN_OR_RETURN(ParamsLayout layout, layout_for(real, params));
  QuantizedRange held = storage_range(storage);
  if (!is_integer(storage) || range.q_min < held.q_min || range.q_max > held.q_max) {
    return Status::invalid_argument(name_of(storage), " cannot hold the range [", range.q_min, ", ",
                                    range.q_max, "]");
  }
  Tensor quantized(storage, real.shape());
  std::span<const float> values = real.data<float>();
  visit_integer(storage, [&](auto element) {
    using T = decltype(element);
    std::span<T> out = quantized.data<T>();
    for_each_run(real.shape(), params.granularity, layout,
                 [&](std::size_t begin, std::size_t end, std::size_t index) {
                   for (std::size_t i = begin; i < end; ++i) {
                     out[i] = static_cast<T>(quantize(values[i], params.params[index], range));
                   }
                 });
  });
  return quantized;
}

Result<Tensor> quantize(const Tensor& real, const TensorParams& params, QuantizedType type) {
  ZP_ASSIGN_OR_RETURN(QuantizedRange range, type.range());
  return quantize(real, params, range, type.storage());
}

Result<Tensor> dequantize(const Tensor& quantized, const TensorParams& params) {
  ZP_ASSIGN_OR_RETURN(ParamsLayout layout, layout_for(quantized, params));
  Tensor real(ElementType::kFloat32, quantized.shape());
  std::span<float> out = real.data<float>();
  bool known = visit_integer(quantized.type(), [&](auto element) {
    using T = decltype(element);
    std::span<const T> values = quantized.data<T>();
    for_each_run(quantized.shape(), params.granularity, layout,
                 [&](std::size_t begin, std::size_t end, std::size_t index) {
                   for (std::size_t i = begin; i < end; ++i) {
                     out[i] = dequantize(static_cast<std::int64_t>(values[i]), params.params[index]);
                   }
                 });
  });
  if (!known) {
    return Status::invalid_argument("an integer tensor is needed, not ", name_of(quantized.type()));
  }
  return real;
}

}  // namespace zeropoint
