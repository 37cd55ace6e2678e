#include "float/primitives.h"

#include <algorithm>

namespace zeropoint::toolchain {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;

/// oneDNN has no scalars, and at most 12 axes.
memory::dims onednn_dims(const Shape& shape) {
  return shape.empty() || shape.size() > DNNL_MAX_NDIMS ? memory::dims{*element_count(shape)} : shape;
}

prop_kind forward_kind(PrimitiveOptions options) {
  return options.training ? prop_kind::forward_training : prop_kind::forward_inference;
}

dnnl::primitive_attr attributes(PrimitiveOptions options) {
  dnnl::primitive_attr attr;
  if (options.alpha != 1.0F) {
    attr.set_output_scales(0, {options.alpha});
  }
  return attr;
}

/// oneDNN counts the gaps between the elements of a window, ONNX the distance.
memory::dims gaps(const WindowGeometry& window) {
  memory::dims result = window.dilations;
  std::for_each(result.begin(), result.end(), [](std::int64_t& dilation) { --dilation; });
  return result;
}

/// The padding at the end that makes the last window fit exactly, as ceil_mode may need.
memory::dims padding_end(const WindowGeometry& window) {
  memory::dims result(window.output.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::int64_t reach = window.dilations[i] * (window.kernel[i] - 1) + 1;
    std::int64_t needed =
        (window.output[i] - 1) * window.strides[i] + reach - window.input[i] - window.pads_begin[i];
    result[i] = std::max(needed, window.pads_end[i]);
  }
  return result;
}

algorithm algorithm_of(PoolKind kind) {
  switch (kind) {
    case PoolKind::kMax:
      return algorithm::pooling_max;
    case PoolKind::kMean:
      return algorithm::pooling_avg_exclude_padding;
    default:
      return algorithm::pooling_avg_include_padding;
  }
}

constexpr algorithm kConvolution = algorithm::convolution_direct;

}  // namespace

MemoryDesc plain_desc(const Shape& shape) {
  memory::dims dims = onednn_dims(shape);
  memory::dims strides(dims.size(), 1);
  for (std::size_t i = dims.size() - 1; i > 0; --i) {
    strides[i - 1] = strides[i] * std::max<std::int64_t>(dims[i], 1);
  }
  return {dims, memory::data_type::f32, strides};
}

MemoryDesc strided_desc(const Shape& shape, const Shape& strides) {
  return {shape, memory::data_type::f32, strides};
}

MemoryDesc any_desc(const Shape& shape) {
  return {onednn_dims(shape), memory::data_type::f32, memory::format_tag::any};
}

dnnl::convolution_forward::primitive_desc convolution(const dnnl::engine& engine, const LinearDescs& descs,
                                                      const WindowGeometry& window,
                                                      PrimitiveOptions options) {
  using Forward = dnnl::convolution_forward;
  Forward::desc desc =
      descs.bias.has_value()
          ? Forward::desc(forward_kind(options), kConvolution, descs.src, descs.weights, *descs.bias,
                          descs.dst, window.strides, gaps(window), window.pads_begin, padding_end(window))
          : Forward::desc(forward_kind(options), kConvolution, descs.src, descs.weights, descs.dst,
                          window.strides, gaps(window), window.pads_begin, padding_end(window));
  return {desc, attributes(options), engine};
}

dnnl::convolution_backward_data::primitive_desc convolution_backward_data(
    const dnnl::engine& engine, const LinearDescs& descs, const WindowGeometry& window,
    const dnnl::convolution_forward::primitive_desc& forward) {
  dnnl::convolution_backward_data::desc desc(kConvolution, descs.src, descs.weights, descs.dst,
                                             window.strides, gaps(window), window.pads_begin,
                                             padding_end(window));
  return {desc, engine, forward};
}

dnnl::convolution_backward_weights::primitive_desc convolution_backward_weights(
    const dnnl::engine& engine, const LinearDescs& descs, const WindowGeometry& window,
    const dnnl::convolution_forward::primitive_desc& forward) {
  using Backward = dnnl::convolution_backward_weights;
  Backward::desc desc =
      descs.bias.has_value()
          ? Backward::desc(kConvolution, descs.src, descs.weights, *descs.bias, descs.dst, window.strides,
                           gaps(window), window.pads_begin, padding_end(window))
          : Backward::desc(kConvolution, descs.src, descs.weights, descs.dst, window.strides, gaps(window),
                           window.pads_begin, padding_end(window));
  return {desc, engine, forward};
}

dnnl::inner_product_forward::primitive_desc inner_product(const dnnl::engine& engine,
                                                          const LinearDescs& descs,
                                                          PrimitiveOptions options) {
  using Forward = dnnl::inner_product_forward;
  Forward::desc desc =
      descs.bias.has_value()
          ? Forward::desc(forward_kind(options), descs.src, descs.weights, *descs.bias, descs.dst)
          : Forward::desc(forward_kind(options), descs.src, descs.weights, descs.dst);
  return {desc, attributes(options), engine};
}

dnnl::inner_product_backward_data::primitive_desc inner_product_backward_data(
    const dnnl::engine& engine, const LinearDescs& descs,
    const dnnl::inner_product_forward::primitive_desc& forward) {
  dnnl::inner_product_backward_data::desc desc(descs.src, descs.weights, descs.dst);
  return {desc, engine, forward};
}

dnnl::inner_product_backward_weights::primitive_desc inner_product_backward_weights(
    const dnnl::engine& engine, const LinearDescs& descs,
    const dnnl::inner_product_forward::primitive_desc& forward) {
  using Backward = dnnl::inner_product_backward_weights;
  Backward::desc desc = descs.bias.has_value()
                            ? Backward::desc(descs.src, descs.weights, *descs.bias, descs.dst)
                            : Backward::desc(descs.src, descs.weights, descs.dst);
  return {desc, engine, forward};
}

dnnl::matmul::primitive_desc matrix_product(const dnnl::engine& engine, const MemoryDesc& src,
                                            const MemoryDesc& weights, const MemoryDesc& dst,
                                            PrimitiveOptions options) {
  return {dnnl::matmul::desc(src, weights, dst), attributes(options), engine};
}

PoolDesc pool(const dnnl::engine& engine, PoolKind kind, const MemoryDesc& src, const MemoryDesc& dst,
              const WindowGeometry& window, PrimitiveOptions options) {
  dnnl::pooling_v2_forward::desc desc(forward_kind(options), algorithm_of(kind), src, dst, window.strides,
                                      window.kernel, gaps(window), window.pads_begin, padding_end(window));
  return {desc, engine};
}

PoolBackwardDesc pool_backward(const dnnl::engine& engine, PoolKind kind, const MemoryDesc& diff_src,
                               const MemoryDesc& diff_dst, const WindowGeometry& window,
                               const PoolDesc& forward) {
  dnnl::pooling_v2_backward::desc desc(algorithm_of(kind), diff_src, diff_dst, window.strides, window.kernel,
                                       gaps(window), window.pads_begin, padding_end(window));
  return {desc, engine, forward};
}

dnnl::binary::primitive_desc binary(const dnnl::engine& engine, Op op, const MemoryDesc& a,
                                    const MemoryDesc& b, const MemoryDesc& dst) {
  algorithm kind = op == Op::kAdd ? algorithm::binary_add : algorithm::binary_mul;
  return {dnnl::binary::desc(kind, a, b, dst), engine};
}

dnnl::eltwise_forward::primitive_desc relu(const dnnl::engine& engine, const MemoryDesc& desc) {
  return {dnnl::eltwise_forward::desc(prop_kind::forward_training, algorithm::eltwise_relu_use_dst_for_bwd,
                                      desc, 0.0F),
          engine};
}

dnnl::eltwise_backward::primitive_desc relu_backward(const dnnl::engine& engine, const MemoryDesc& dst,
                                                     const MemoryDesc& diff,
                                                     const dnnl::eltwise_forward::primitive_desc& forward) {
  return {dnnl::eltwise_backward::desc(algorithm::eltwise_relu_use_dst_for_bwd, diff, dst, 0.0F), engine,
          forward};
}

dnnl::reorder::primitive_desc reorder(const dnnl::engine& engine, const MemoryDesc& from,
                                      const MemoryDesc& to, bool accumulate) {
  dnnl::primitive_attr attr;
  if (accumulate) {
    dnnl::post_ops ops;
    ops.append_sum(1.0F);
    attr.set_post_ops(ops);
  }
  return {engine, from, engine, to, attr};
}

}  // namespace zeropoint::toolchain
