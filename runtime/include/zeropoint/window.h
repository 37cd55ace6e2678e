#pragma once

#include <cstdint>
#include <vector>

#include "zeropoint/operator.h"
#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint {

/// How a window of kernel, strides, dilations and pads slides over the spatial axes of an [N, C, spatial...]
/// tensor. All vectors have one entry per spatial axis. ONNX operators Conv and the pools.
struct WindowGeometry {
  std::vector<std::int64_t> input;
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> dilations;
  std::vector<std::int64_t> pads_begin;
  std::vector<std::int64_t> pads_end;
  std::vector<std::int64_t> output;
};

/// The window of an operator with Conv's or MaxPool's attributes over an input of shape `input`. A spatial
/// extent of -1 is not known yet; neither is then its output, nor its pads where auto_pad asks for SAME.
/// `kernel` is the weights' spatial extents for convolutions and empty for pools, whose kernel_shape is
/// required. The window of a pool with ceil_mode may hang over the end of the padding.
Result<WindowGeometry> window_geometry(Op op, const Attributes& attributes, const Shape& input,
                                       std::vector<std::int64_t> kernel);

/// The window of the convolution that a ConvTranspose runs backwards: its `output` are the spatial extents of
/// the operator's input, of shape `input`, its `input` those of the operator's result. Attributes
/// output_padding and output_shape, and auto_pad SAME (result = input * stride), are taken into account;
/// unknown extents (-1) stay unknown.
Result<WindowGeometry> transposed_window_geometry(const Attributes& attributes, const Shape& input,
                                                  std::vector<std::int64_t> kernel);

/// The shape of the tensor from which MaxPool with these attributes, those of a MaxUnpool, made one of shape
/// `input`.
Result<Shape> unpool_shape(const Attributes& attributes, const Shape& input);

}  // namespace zeropoint
