#include "engine/steps/image_steps.h"

#include <algorithm>
#include <cstring>

namespace zeropoint::engine {

Stretches Stretches::of(const std::vector<Image>& images) {
  const Image& first = images[0];
  std::int64_t row = first.width * first.channels;
  if (std::ranges::all_of(images, [](const Image& image) { return image.is_dense(); })) {
    return {1, 1, 1, first.batch * first.height * row};
  }
  if (std::ranges::all_of(images, [](const Image& image) { return image.rows_are_dense(); })) {
    return {first.batch, first.height, 1, row};
  }
  return {first.batch, first.height, first.width, first.channels};
}

Status QuantizeStep::run(const RunContext& context) {
  const auto* in = reinterpret_cast<const float*>(context.at(from));
  constexpr std::int64_t kReals = 8;  // in a nanosecond
  if (!to_image) {
    constexpr std::int64_t kPiece = 4096;
    std::uint8_t* out = context.bytes_at(to.place);
    context.in_parts(
        (count + kPiece - 1) / kPiece, count / kReals, [&](std::int64_t begin, std::int64_t end) {
          begin *= kPiece;
          kernels->quantize(in + begin, out + begin, std::min(count, end * kPiece) - begin, params);
        });
    return {};
  }
  bool in_colour = to.pixel == 3 && to.channels == 3 && kernels->quantize_three != nullptr;
  std::int64_t rows = to.batch * to.height;
  context.in_parts(rows, rows * to.width * to.channels / kReals, [&](std::int64_t begin, std::int64_t end) {
    if (to.pixel == 1 && to.batch == 1) {
      kernels->quantize_rows(in + begin * to.width, context.bytes_at(to.place) + begin * to.row, end - begin,
                             to.row, to.width, params);
      return;
    }
    for (std::int64_t i = begin; i < end; ++i) {
      quantize_row(in, context.bytes_at(to.place), i / to.height, i % to.height, in_colour);
    }
  });
  return {};
}

void QuantizeStep::quantize_row(const float* in, std::uint8_t* out, std::int64_t n, std::int64_t y,
                                bool in_colour) const {
  std::int64_t plane = to.height * to.width;
  const float* row = in + n * to.channels * plane + y * to.width;
  std::uint8_t* pixels = out + n * to.plane + y * to.row;
  if (in_colour) {
    kernels->quantize_three(row, plane, pixels, to.width, params);
    return;
  }
  for (std::int64_t c = 0; c < to.channels; ++c) {
    if (to.pixel == 1) {
      kernels->quantize(row + c * plane, pixels, to.width, params);
    } else {
      kernels->quantize_strided(row + c * plane, pixels + c, to.pixel, to.width, params);
    }
  }
}

Status DequantizeStep::run(const RunContext& context) {
  auto* out = reinterpret_cast<float*>(context.at(to));
  constexpr std::int64_t kReals = 8;  // in a nanosecond
  if (!sums) {
    constexpr std::int64_t kPiece = 4096;
    std::int64_t all = rows * count;
    context.in_parts((all + kPiece - 1) / kPiece, all / kReals, [&](std::int64_t begin, std::int64_t end) {
      begin *= kPiece;
      kernels->dequantize(context.bytes_at(from) + begin, out + begin, std::min(all, end * kPiece) - begin,
                          scale, zero_point);
    });
    return {};
  }
  const auto* in = reinterpret_cast<const std::int32_t*>(context.at(from));
  context.in_parts(rows, rows * count / kReals, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      kernels->dequantize_sums(in + i * count, out + i * count, count, scales.data());
    }
  });
  return {};
}

Status AddStep::run(const RunContext& context) {
  stretches.for_each(context, stretches.all_bytes() / 8, [&](auto&& first, std::int64_t bytes) {
    kernels->add(first(a), first(b), first(to), bytes, epilogue);
  });
  return {};
}

Status TableStep::run(const RunContext& context) {
  stretches.for_each(context, stretches.all_bytes() / 4, [&](auto&& first, std::int64_t bytes) {
    kernels->look_up(first(from), first(to), bytes, table.data());
  });
  return {};
}

Status GlobalMeanStep::run(const RunContext& context) {
  auto* totals = reinterpret_cast<std::int32_t*>(context.at(sums));
  std::int64_t pixels = from.height * from.width;
  std::int64_t rows = from.row == from.width * from.pixel ? 1 : from.height;  // as one where there is no gap
  for (std::int64_t n = 0; n < from.batch; ++n) {
    std::fill_n(totals, from.channels, static_cast<std::int32_t>(-pixels) * input_zero_point);
    for (std::int64_t y = 0; y < rows; ++y) {
      const std::uint8_t* row = context.bytes_at(from.place) + n * from.plane + y * from.row;
      kernels->accumulate(row, from.pixel, pixels / rows, totals, from.channels);
    }
    kernels->mean(totals, context.bytes_at(to) + n * from.channels, from.channels, params);
  }
  return {};
}

}  // namespace zeropoint::engine
