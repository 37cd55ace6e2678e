#include "engine/steps/image_steps.h"

#include <algorithm>
#include <cstring>

namespace zeropoint::engine {

Stretches Stretches::of(const std::vector<Image>& images) {
  const Image& first = images[0];
  std::int64_t row = first.width * first.channels;
  if (std::all_of(images.begin(), images.end(), [](const Image& image) { return image.is_dense(); })) {
    return {1, 1, 1, first.batch * first.height * row};
  }
  if (std::all_of(images.begin(), images.end(), [](const Image& image) { return image.rows_are_dense(); })) {
    return {first.batch, first.height, 1, row};
  }
  return {first.batch, first.height, first.width, first.channels};
}

Status QuantizeStep::run(const RunContext& context) {
  const auto* in = reinterpret_cast<const float*>(context.at(from));
  if (!to_image) {
    kernels->quantize(in, context.bytes_at(to.place), count, params);
    return {};
  }
  for (std::int64_t n = 0; n < to.batch; ++n) {
    std::uint8_t* image = context.bytes_at(to.place) + n * to.plane;
    for (std::int64_t c = 0; c < to.channels; ++c) {
      for (std::int64_t y = 0; y < to.height; ++y, in += to.width) {
        if (to.pixel == 1) {
          kernels->quantize(in, image + y * to.row, to.width, params);
        } else {
          kernels->quantize_strided(in, image + y * to.row + c, to.pixel, to.width, params);
        }
      }
    }
  }
  return {};
}

Status DequantizeStep::run(const RunContext& context) {
  auto* out = reinterpret_cast<float*>(context.at(to));
  if (!sums) {
    kernels->dequantize(context.bytes_at(from), out, rows * count, scale, zero_point);
    return {};
  }
  const auto* in = reinterpret_cast<const std::int32_t*>(context.at(from));
  for (std::int64_t i = 0; i < rows; ++i) {
    kernels->dequantize_sums(in + i * count, out + i * count, count, scales.data());
  }
  return {};
}

Status AddStep::run(const RunContext& context) {
  stretches.for_each([&](std::int64_t n, std::int64_t y, std::int64_t x) {
    kernels->add(context.bytes_at(a.place) + a.at(n, y, x), context.bytes_at(b.place) + b.at(n, y, x),
                 context.bytes_at(to.place) + to.at(n, y, x), stretches.bytes, epilogue);
  });
  return {};
}

Status TableStep::run(const RunContext& context) {
  stretches.for_each([&](std::int64_t n, std::int64_t y, std::int64_t x) {
    kernels->look_up(context.bytes_at(from.place) + from.at(n, y, x),
                     context.bytes_at(to.place) + to.at(n, y, x), stretches.bytes, table.data());
  });
  return {};
}

Status PoolStep::run(const RunContext& context) {
  for (std::int64_t n = 0; n < to.batch; ++n) {
    const std::uint8_t* in = context.bytes_at(from.place) + n * from.plane;
    std::uint8_t* out = context.bytes_at(to.place) + n * to.plane;
    for (std::int64_t y = 0; y < to.height; ++y) {
      for (std::int64_t x = 0; x < to.width; ++x) {
        pool(context, in, out + y * to.row + x * to.pixel, y, x);
      }
    }
  }
  return {};
}

namespace {

/// The taps of one axis that lie on the input, and how many lie on it or its padding.
struct Taps {
  std::int64_t begin, end, padded;
  std::int64_t at;  ///< of tap 0

  Taps(const WindowGeometry& window, std::size_t axis, std::int64_t out) {
    std::int64_t dilation = window.dilations[axis];
    at = out * window.strides[axis] - window.pads_begin[axis];
    begin = at < 0 ? (-at + dilation - 1) / dilation : 0;
    auto before = [&](std::int64_t limit) {
      return std::clamp<std::int64_t>((limit - at + dilation - 1) / dilation, 0, window.kernel[axis]);
    };
    end = before(window.input[axis]);
    padded = before(window.input[axis] + window.pads_end[axis]);
  }
};

}  // namespace

void PoolStep::pool(const RunContext& context, const std::uint8_t* in, std::uint8_t* out, std::int64_t y,
                    std::int64_t x) const {
  Taps rows(window, 0, y);
  Taps columns(window, 1, x);
  std::int64_t channels = to.channels;
  auto* totals = mean ? reinterpret_cast<std::int32_t*>(context.at(sums)) : nullptr;
  std::int64_t taps = std::max<std::int64_t>(rows.end - rows.begin, 0) *
                      std::max<std::int64_t>(columns.end - columns.begin, 0);
  if (mean) {
    std::fill_n(totals, channels, static_cast<std::int32_t>(-taps) * input_zero_point);
  } else {
    std::memset(out, 0, static_cast<std::size_t>(channels));
  }
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    const std::uint8_t* row = in + (rows.at + i * window.dilations[0]) * from.row;
    for (std::int64_t j = columns.begin; j < columns.end; ++j) {
      const std::uint8_t* pixel = row + (columns.at + j * window.dilations[1]) * from.pixel;
      if (mean) {
        kernels->accumulate(pixel, totals, channels);
      } else {
        kernels->maximum(pixel, out, channels);
      }
    }
  }
  if (mean) {
    std::int64_t n = counts_padding ? rows.padded * columns.padded : taps;
    kernels::MeanParams p = params;
    p.factor = input_scale / (output_scale * static_cast<float>(std::max<std::int64_t>(n, 1)));
    kernels->mean(totals, out, channels, p);
  }
}

Status GlobalMeanStep::run(const RunContext& context) {
  auto* totals = reinterpret_cast<std::int32_t*>(context.at(sums));
  std::int64_t pixels = from.height * from.width;
  for (std::int64_t n = 0; n < from.batch; ++n) {
    std::fill_n(totals, from.channels, static_cast<std::int32_t>(-pixels) * input_zero_point);
    for (std::int64_t y = 0; y < from.height; ++y) {
      const std::uint8_t* row = context.bytes_at(from.place) + n * from.plane + y * from.row;
      for (std::int64_t x = 0; x < from.width; ++x) {
        kernels->accumulate(row + x * from.pixel, totals, from.channels);
      }
    }
    kernels->mean(totals, context.bytes_at(to) + n * from.channels, from.channels, params);
  }
  return {};
}

}  // namespace zeropoint::engine
