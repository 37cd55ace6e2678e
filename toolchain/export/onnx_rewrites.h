#pragma once

#include "graph/onnx_node.h"

// How operators that ONNX changed are said in older opsets. Each brings a node from the form of ops.inc to
// the older one, or says in kUnsupported why that cannot be: in words that follow "cannot say".

namespace zeropoint::toolchain::rewrites {

/// Inputs that must be constants become attributes.
Status axes_to_attribute(OnnxNode& node, Graph& graph);
Status reduced_axes_to_attribute(OnnxNode& node, Graph& graph);
Status bounds_to_attributes(OnnxNode& node, Graph& graph);
Status pads_to_attributes(OnnxNode& node, Graph& graph);
Status slice_to_attributes(OnnxNode& node, Graph& graph);
Status split_to_attribute(OnnxNode& node, Graph& graph);
Status k_to_attribute(OnnxNode& node, Graph& graph);
Status ratio_to_attribute(OnnxNode& node, Graph& graph);

/// Forms that say less.
Status pads_of_all_axes(OnnxNode& node, Graph& graph);
Status equal_parts(OnnxNode& node, Graph& graph);
Status softmax_of_trailing_axes(OnnxNode& node, Graph& graph);
Status resize_with_all_inputs(OnnxNode& node, Graph& graph);
Status resize_by_scales(OnnxNode& node, Graph& graph);
Status upsample(OnnxNode& node, Graph& graph);
Status upsample_by_attribute(OnnxNode& node, Graph& graph);
Status inputs_of_one_shape(OnnxNode& node, Graph& graph);
Status gemm_with_bias(OnnxNode& node, Graph& graph);
Status without_indices(OnnxNode& node, Graph& graph);
Status scatter(OnnxNode& node, Graph& graph);

/// Between reals and integers.
Status quantization_per_tensor(OnnxNode& node, Graph& graph);
Status quantization_without_blocks(OnnxNode& node, Graph& graph);

}  // namespace zeropoint::toolchain::rewrites
