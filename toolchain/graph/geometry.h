#pragma once

#include <cstdint>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// How a window of kernel, strides, dilations and pads slides over the spatial axes of an NCHW tensor.
/// All vectors have one entry per spatial axis. ONNX operators Conv and MaxPool.
struct WindowGeometry {
  std::vector<std::int64_t> input;
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> dilations;
  std::vector<std::int64_t> pads_begin;
  std::vector<std::int64_t> pads_end;
  std::vector<std::int64_t> output;
};

/// The window of a Conv or MaxPool `node` over an input of dims `input` (batch may be unknown, the rest must
/// not be). `kernel` is the weights' spatial extents for Conv and empty for MaxPool, whose kernel_shape is
/// required.
Result<WindowGeometry> window_geometry(const Node& node, const Dims& input, std::vector<std::int64_t> kernel);

}  // namespace zeropoint::toolchain
