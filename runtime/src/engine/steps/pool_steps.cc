#include <algorithm>
#include <cstring>

#include "engine/steps/image_steps.h"

namespace zeropoint::engine {

PoolTaps PoolTaps::of(const WindowGeometry& window, std::size_t axis, std::int64_t out) {
  std::int64_t dilation = window.dilations[axis];
  PoolTaps taps;
  taps.at = out * window.strides[axis] - window.pads_begin[axis];
  taps.begin = taps.at < 0 ? (-taps.at + dilation - 1) / dilation : 0;
  auto before = [&](std::int64_t limit) {
    return std::clamp<std::int64_t>((limit - taps.at + dilation - 1) / dilation, 0, window.kernel[axis]);
  };
  taps.end = before(window.input[axis]);
  taps.padded = before(window.input[axis] + window.pads_end[axis]);
  return taps;
}

void MaxPoolStep::prepare() {
  for (std::int64_t x = 0; x < to.width; ++x) {
    columns.push_back(PoolTaps::of(window, 1, x));
  }
  auto whole = [&](std::int64_t x) {
    const PoolTaps& taps = columns[static_cast<std::size_t>(x)];
    return taps.begin == 0 && taps.end == window.kernel[1];
  };
  while (first_whole < to.width && !whole(first_whole)) {
    ++first_whole;
  }
  end_whole = first_whole;
  while (end_whole < to.width && whole(end_whole)) {
    ++end_whole;
  }
}

Status MaxPoolStep::run(const RunContext& context) {
  std::int64_t rows = to.batch * to.height;
  std::int64_t bytes = rows * to.width * to.channels * window.kernel[0] * window.kernel[1];
  context.in_parts(rows, bytes / 10, [&](std::int64_t begin, std::int64_t end, std::int64_t part) {
    std::uint8_t* scratch = context.bytes_at(row) + part * from.width * from.pixel;
    for (std::int64_t i = begin; i < end; ++i) {
      std::int64_t n = i / to.height;
      std::int64_t y = i % to.height;
      pool_row(context.bytes_at(from.place) + n * from.plane,
               context.bytes_at(to.place) + n * to.plane + y * to.row, scratch, y);
    }
  });
  return {};
}

void MaxPoolStep::pool_row(const std::uint8_t* in, std::uint8_t* out, std::uint8_t* scratch,
                           std::int64_t y) const {
  PoolTaps rows = PoolTaps::of(window, 0, y);
  if (rows.begin >= rows.end) {
    for (std::int64_t x = 0; x < to.width; ++x) {
      std::memset(out + x * to.pixel, 0, static_cast<std::size_t>(to.channels));
    }
    return;
  }
  const std::uint8_t* largest = in + (rows.at + rows.begin * window.dilations[0]) * from.row;
  for (std::int64_t i = rows.begin + 1; i < rows.end; ++i) {
    // All bytes between the first and the last pixel: where they are not the image's own, nobody looks.
    kernels->maximum(largest, in + (rows.at + i * window.dilations[0]) * from.row, scratch,
                     (from.width - 1) * from.pixel + from.channels);
    largest = scratch;
  }
  kernels::MaximumParams p;
  p.channels = to.channels;
  p.step = window.strides[1] * from.pixel;
  p.tap_step = window.dilations[1] * from.pixel;
  p.output_step = to.pixel;
  auto run = [&](std::int64_t first, std::int64_t positions) {
    const PoolTaps& taps = columns[static_cast<std::size_t>(first)];
    p.input = largest + (taps.at + taps.begin * window.dilations[1]) * from.pixel;
    p.output = out + first * to.pixel;
    p.positions = positions;
    p.taps = taps.end - taps.begin;
    if (p.taps > 0) {
      kernels->maximum_of_pixels(p);
    } else {
      std::memset(p.output, 0, static_cast<std::size_t>(to.channels));
    }
  };
  for (std::int64_t x = 0; x < first_whole; ++x) {
    run(x, 1);
  }
  if (first_whole < end_whole) {
    run(first_whole, end_whole - first_whole);
  }
  for (std::int64_t x = end_whole; x < to.width; ++x) {
    run(x, 1);
  }
}

Status AveragePoolStep::run(const RunContext& context) {
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

void AveragePoolStep::pool(const RunContext& context, const std::uint8_t* in, std::uint8_t* out,
                           std::int64_t y, std::int64_t x) const {
  PoolTaps rows = PoolTaps::of(window, 0, y);
  PoolTaps columns = PoolTaps::of(window, 1, x);
  auto* totals = reinterpret_cast<std::int32_t*>(context.at(sums));
  std::int64_t taps = std::max<std::int64_t>(rows.end - rows.begin, 0) *
                      std::max<std::int64_t>(columns.end - columns.begin, 0);
  std::fill_n(totals, to.channels, static_cast<std::int32_t>(-taps) * input_zero_point);
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    std::int64_t column = columns.at + columns.begin * window.dilations[1];
    kernels->accumulate(in + (rows.at + i * window.dilations[0]) * from.row + column * from.pixel,
                        window.dilations[1] * from.pixel, columns.end - columns.begin, totals, to.channels);
  }
  std::int64_t n = counts_padding ? rows.padded * columns.padded : taps;
  kernels::MeanParams p = params;
  p.factor = input_scale / (output_scale * static_cast<float>(std::max<std::int64_t>(n, 1)));
  kernels->mean(totals, out, to.channels, p);
}

}  // namespace zeropoint::engine
