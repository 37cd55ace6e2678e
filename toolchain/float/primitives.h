#pragma once

// All that this project asks of oneDNN's operator descriptors, whose interface differs between 2.x
// (descriptor, then primitive descriptor) and 3.x (one step): a port changes primitives.cc and nothing else.

#include <dnnl.hpp>
#include <optional>

#include "graph/geometry.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

using MemoryDesc = dnnl::memory::desc;

/// Row-major float32 of that shape; a scalar is [1], a tensor of more than 12 axes [elements].
MemoryDesc plain_desc(const Shape& shape);
/// float32 of that shape with the given strides, in elements.
MemoryDesc strided_desc(const Shape& shape, const Shape& strides);
/// float32 of that shape in whatever layout the primitive likes best.
MemoryDesc any_desc(const Shape& shape);

/// What a primitive computes on, besides its tensors.
struct PrimitiveOptions {
  bool training = false;
  float alpha = 1.0F;  ///< factor of a matrix product
};

/// Tensors of a convolution or an inner product, in any or in fixed layouts.
struct LinearDescs {
  MemoryDesc src;
  MemoryDesc weights;
  std::optional<MemoryDesc> bias;
  MemoryDesc dst;
};

dnnl::convolution_forward::primitive_desc convolution(const dnnl::engine& engine, const LinearDescs& descs,
                                                      const WindowGeometry& window, PrimitiveOptions options);
dnnl::convolution_backward_data::primitive_desc convolution_backward_data(
    const dnnl::engine& engine, const LinearDescs& descs, const WindowGeometry& window,
    const dnnl::convolution_forward::primitive_desc& forward);
dnnl::convolution_backward_weights::primitive_desc convolution_backward_weights(
    const dnnl::engine& engine, const LinearDescs& descs, const WindowGeometry& window,
    const dnnl::convolution_forward::primitive_desc& forward);

dnnl::inner_product_forward::primitive_desc inner_product(const dnnl::engine& engine,
                                                          const LinearDescs& descs, PrimitiveOptions options);
dnnl::inner_product_backward_data::primitive_desc inner_product_backward_data(
    const dnnl::engine& engine, const LinearDescs& descs,
    const dnnl::inner_product_forward::primitive_desc& forward);
dnnl::inner_product_backward_weights::primitive_desc inner_product_backward_weights(
    const dnnl::engine& engine, const LinearDescs& descs,
    const dnnl::inner_product_forward::primitive_desc& forward);

/// dst = alpha * src * weights, matrices.
dnnl::matmul::primitive_desc matrix_product(const dnnl::engine& engine, const MemoryDesc& src,
                                            const MemoryDesc& weights, const MemoryDesc& dst,
                                            PrimitiveOptions options);

/// What a pool makes of a window: its largest element, or the mean of those on the input, or of all.
enum class PoolKind : std::uint8_t { kMax, kMean, kMeanWithPadding };
using PoolDesc = dnnl::pooling_v2_forward::primitive_desc;
using PoolBackwardDesc = dnnl::pooling_v2_backward::primitive_desc;
using PoolPrimitive = dnnl::pooling_v2_forward;
using PoolBackwardPrimitive = dnnl::pooling_v2_backward;
PoolDesc pool(const dnnl::engine& engine, PoolKind kind, const MemoryDesc& src, const MemoryDesc& dst,
              const WindowGeometry& window, PrimitiveOptions options);
PoolBackwardDesc pool_backward(const dnnl::engine& engine, PoolKind kind, const MemoryDesc& diff_src,
                               const MemoryDesc& diff_dst, const WindowGeometry& window,
                               const PoolDesc& forward);

/// dst = a op b of the same shape.
dnnl::binary::primitive_desc binary(const dnnl::engine& engine, Op op, const MemoryDesc& a,
                                    const MemoryDesc& b, const MemoryDesc& dst);

/// max(0, x) in training; what the backward primitive needs is the result, not the input.
dnnl::eltwise_forward::primitive_desc relu(const dnnl::engine& engine, const MemoryDesc& desc);
dnnl::eltwise_backward::primitive_desc relu_backward(const dnnl::engine& engine, const MemoryDesc& dst,
                                                     const MemoryDesc& diff,
                                                     const dnnl::eltwise_forward::primitive_desc& forward);

/// dst = src, or dst += src, from one layout to another.
dnnl::reorder::primitive_desc reorder(const dnnl::engine& engine, const MemoryDesc& from,
                                      const MemoryDesc& to, bool accumulate = false);

}  // namespace zeropoint::toolchain
