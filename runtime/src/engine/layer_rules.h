#pragma once

// What convolutions and matrix products have in common when steps are made of them.

#include <span>
#include <vector>

#include "engine/builder.h"
#include "engine/image.h"
#include "engine/layer_cache.h"
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

/// Whether int8 weights meet bytes and the sums stay in int32.
bool multiplies_bytes(const Builder& builder, const LinearLayer& layer, TensorId input, TensorId output);

/// Room for accumulators [N, H, W, M], dense; its strides are in elements of int32.
Image accumulator_image(Builder& builder, std::int64_t batch, std::int64_t channels, std::int64_t height,
                        std::int64_t width);

/// Adds a step that brings accumulators [N, H, W, M], an image of int32, to where the program wants them, and
/// requantizes them where it does.
void finish_accumulators(Builder& builder, const LinearLayer& layer, TensorId output, const Image& from);

/// The kernels that are worth it, best first.
std::vector<const kernels::DotKernel*> kernels_for(Isa isa, const kernels::DotWork& work);

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

/// How many neighbouring positions of a row are computed as channels of one, so that few channels fill a
/// panel; of each weight there may be a panel's.
std::int64_t neighbours_as_channels(const LinearLayer& layer, std::int64_t width);

/// The weights [C, H, W] of an output channel as segments [H][W][C] or, where taps do not lie side by side,
/// [H][W] of [C]; a copy for each place, so many strides further along a wider window.
DotOrder conv_order(const ImageWindow& window, std::int64_t depth, bool whole_rows,
                    std::span<const std::int64_t> places);

}  // namespace zeropoint::engine
