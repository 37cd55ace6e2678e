#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "zeropoint/operator.h"

namespace zeropoint {

/// One axis of an ONNX Resize.
struct ResizeAxis {
  std::int64_t input = 0;
  std::int64_t output = 0;
  float scale = 1;      ///< output extent per input extent, as coordinates are computed with it
  float roi_begin = 0;  ///< tf_crop_and_resize: the part of the input that is resized
  float roi_end = 1;
};

/// The axes of a Resize of an input of shape `input`, by inputs scales or sizes (the other one is nullptr),
/// and roi where it is there. kInvalidArgument where they do not fit.
Result<std::vector<ResizeAxis>> resize_axes(const Attributes& attributes, const Shape& input,
                                            const Tensor* roi, const Tensor* scales,
                                            const std::vector<std::int64_t>* sizes);

/// Where the output of a resized axis comes from.
struct ResizeTaps {
  /// The elements of the input that an element of the output is made of, and their weights, which add up
  /// to 1.
  struct Tap {
    std::int64_t index;
    float weight;
  };
  std::vector<std::vector<Tap>> taps;  ///< per element of the output; none where it lies outside of the input
};

/// The taps of one axis: one of weight 1 per element in mode nearest, 2 in linear, 4 in cubic, more with
/// antialias. Coordinates and weights are computed in float32. kInvalidArgument for modes there are not.
Result<ResizeTaps> resize_taps(const Attributes& attributes, const ResizeAxis& axis);

}  // namespace zeropoint
