#pragma once

// What convolutions and matrix products have in common when steps are made of them.

#include <vector>

#include "engine/image.h"
#include "kernels/dot/dot.h"
#include "kernels/epilogue.h"
#include "zeropoint/affine.h"
#include "zeropoint/integer_ranges.h"
#include "zeropoint/operations.h"

namespace zeropoint::engine {

/// Whether the epilogue of the kernels gives the reference's integers: float multipliers, products below
/// 2^30.
bool has_tame_multipliers(const LinearLayer& layer, QuantizedRange input);

/// The part of an epilogue that requantizes, onto bytes shifted by `shift`.
kernels::Epilogue requantization_epilogue(const Requantization& requantization, std::int32_t shift);

/// The first kernel that is exact for all weights.
const kernels::DotKernel& kernel_of_any_weights(Isa isa, const kernels::DotWork& work);

/// A convolution's window over an image of one or two axes, in bytes.
struct ImageWindow {
  std::int64_t kernel_h, kernel_w;
  std::int64_t stride_h, stride_w;
  std::int64_t dilation_w;
  std::vector<std::ptrdiff_t> taps;  ///< from the pixel that has an output's position times the strides
  bool padded;                       ///< reads the halo
};

ImageWindow image_window(const ConvOp& op, const Image& input);

}  // namespace zeropoint::engine
