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
  std::int64_t plane = to.height * to.width;
  bool in_colour = to.pixel == 3 && to.channels == 3 && kernels->quantize_three != nullptr;
  for (std::int64_t n = 0; n < to.batch; ++n) {
    std::uint8_t* image = context.bytes_at(to.place) + n * to.plane;
    if (in_colour) {
      for (std::int64_t y = 0; y < to.height; ++y) {
        kernels->quantize_three(in + y * to.width, plane, image + y * to.row, to.width, params);
      }
      in += 3 * plane;
      continue;
    }
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
