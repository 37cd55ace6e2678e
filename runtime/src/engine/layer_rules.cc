#include "engine/layer_rules.h"

#include <algorithm>
#include <cmath>

#include "kernels/isa.h"

namespace zeropoint::engine {

bool has_tame_multipliers(const LinearLayer& layer, QuantizedRange input) {
  const auto* multipliers =
      layer.requantization ? std::get_if<std::vector<float>>(&layer.requantization->multipliers) : nullptr;
  if (multipliers == nullptr) {
    return false;
  }
  float largest = *std::ranges::max_element(*multipliers);
  auto stays_small = [&](QuantizedRange sums) {
    double most = std::max(-static_cast<double>(sums.q_min), static_cast<double>(sums.q_max));
    return most * static_cast<double>(largest) < 0x1p29;
  };
  return stays_small(accumulator_range_of_any_weights(layer, input)) ||
         stays_small(accumulator_range(layer, input));
}

kernels::Epilogue requantization_epilogue(const Requantization& requantization, std::int32_t shift) {
  kernels::Epilogue e;
  e.kind = kernels::EpilogueKind::kRequantize;
  e.zero_point = static_cast<std::int32_t>(requantization.zero_point) + shift;
  e.low = static_cast<std::uint8_t>(requantization.clamp.q_min + shift);
  e.high = static_cast<std::uint8_t>(requantization.clamp.q_max + shift);
  return e;
}

bool multiplies_bytes(const Builder& builder, const LinearLayer& layer, TensorId input, TensorId output) {
  return layer.weights.type() == ElementType::kInt8 && layer.accumulator == ElementType::kInt32 &&
         is_byte(builder.type(input)) && (!layer.requantization || is_byte(builder.type(output)));
}

std::vector<const kernels::DotKernel*> kernels_for(Isa isa, const kernels::DotWork& work) {
  std::vector<const kernels::DotKernel*> fit;
  for (const kernels::DotKernel& kernel : kernels::dot_kernels()) {
    if (kernels::includes(isa, kernel.isa) && (kernel.worth == nullptr || kernel.worth(work))) {
      fit.push_back(&kernel);
    }
  }
  return fit;
}

const kernels::DotKernel& kernel_of_any_weights(Isa isa, const kernels::DotWork& work) {
  std::vector<const kernels::DotKernel*> fit = kernels_for(isa, work);
  return **std::ranges::find_if(fit,
                                [](const kernels::DotKernel* kernel) { return kernel->split == nullptr; });
}

ImageWindow image_window(const ConvOp& op, const Image& input) {
  const Window& window = op.window;
  const Shape& w = op.layer.weights.shape();
  bool rows = w.size() == 4;
  auto of_rows = [&](const std::vector<std::int64_t>& list, std::int64_t otherwise) {
    return rows ? list[0] : otherwise;
  };
  // A stride beyond the image is never gone.
  std::int64_t rows_there = input.plane / input.row;
  std::int64_t columns_there = input.row / input.pixel;
  ImageWindow result{rows ? w[2] : 1,
                     w.back(),
                     std::min(of_rows(window.strides, 1), rows_there),
                     std::min(window.strides.back(), columns_there),
                     window.dilations.back(),
                     {},
                     false};
  for (std::int64_t y = 0; y < result.kernel_h; ++y) {
    for (std::int64_t x = 0; x < result.kernel_w; ++x) {
      result.taps.push_back((y * of_rows(window.dilations, 1) - of_rows(window.pads_begin, 0)) * input.row +
                            (x * window.dilations.back() - window.pads_begin.back()) * input.pixel);
    }
  }
  auto pads = [](const std::vector<std::int64_t>& list) {
    return std::ranges::any_of(list, [](std::int64_t pad) { return pad > 0; });
  };
  result.padded = pads(window.pads_begin) || pads(window.pads_end);
  return result;
}

std::int64_t neighbours_as_channels(const LinearLayer& layer, std::int64_t width) {
  constexpr std::int64_t kPanel = 16;
  constexpr std::int64_t kFewWeights = 1 << 14;
  if (layer.weights.size() > kFewWeights) {
    return 1;
  }
  for (std::int64_t copies = kPanel / layer.weights.dim(0); copies > 1; --copies) {
    if (width % copies == 0) {
      return copies;
    }
  }
  return 1;
}

DotOrder conv_order(const ImageWindow& window, std::int64_t depth, bool whole_rows,
                    std::span<const std::int64_t> places) {
  std::int64_t taps = window.kernel_h * window.kernel_w;
  std::int64_t width = window.kernel_w + *std::ranges::max_element(places) * window.stride_w;
  DotOrder order;
  order.segments = whole_rows ? window.kernel_h : taps;
  order.depth = whole_rows ? width * depth : depth;
  for (std::int64_t place : places) {
    std::vector<std::int32_t> k;
    for (std::int64_t y = 0; y < window.kernel_h; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        std::int64_t own = x - place * window.stride_w;
        bool inside = own >= 0 && own < window.kernel_w;
        for (std::int64_t c = 0; c < depth; ++c) {
          k.push_back(inside ? static_cast<std::int32_t>(c * taps + y * window.kernel_w + own) : -1);
        }
      }
    }
    order.copies.push_back(std::move(k));
  }
  return order;
}

}  // namespace zeropoint::engine
