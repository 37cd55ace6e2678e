#include "engine/steps/float_dot_step.h"

#include <algorithm>

namespace zeropoint::engine {
namespace {

using kernels::FloatDotParams;
using kernels::kFloatPanel;

float* floats_at(const RunContext& context, Place place) {
  return reinterpret_cast<float*>(context.at(place));
}

void finish_with(const FloatEpilogue& epilogue, FloatDotParams& p) {
  p.clamps = epilogue.clamps;
  p.low = epilogue.low;
  p.high = epilogue.high;
  p.column_bias = epilogue.column_bias;
}

std::int64_t pieces(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

/// Rows [first, end) of a product.
FloatDotParams rows_of(const FloatDotParams& whole, std::int64_t first, std::int64_t end) {
  FloatDotParams p = whole;
  p.left += first * p.left_step;
  p.output += first * p.output_step;
  p.row_bias += p.row_bias == nullptr ? 0 : first;
  p.rows = end - first;
  return p;
}

/// Columns from panel `first` on, up to the column `end`.
FloatDotParams columns_of(const FloatDotParams& whole, std::int64_t first, std::int64_t end) {
  FloatDotParams p = whole;
  std::int64_t column = first * kFloatPanel;
  if (p.quantized.bits == 0) {
    p.right += column * p.depth;
  } else {
    std::int64_t lines = p.quantized.bits == 8 ? p.depth : pieces(p.depth, 2);
    std::int64_t blocks = pieces(p.depth, p.quantized.block);
    p.quantized.integers += column * lines;
    p.quantized.scales += column * blocks;
    p.quantized.zeros += column * blocks;
  }
  p.output += column;
  p.column_bias += p.column_bias == nullptr ? 0 : column;
  p.columns = end - column;
  return p;
}

/// Cut along rows where there are many, else along columns.
void run_in_parts(const RunContext& context, const kernels::FloatDotKernel& kernel, const FloatDotParams& p) {
  constexpr std::int64_t kRows = 12;
  constexpr std::int64_t kPanels = 4;
  std::int64_t work = p.rows * p.columns * p.depth / 30;
  if (p.rows >= kRows * context.threads()) {
    context.in_parts(pieces(p.rows, kRows), work, [&](std::int64_t begin, std::int64_t end) {
      kernel.run(rows_of(p, begin * kRows, std::min(p.rows, end * kRows)));
    });
    return;
  }
  context.in_parts(pieces(p.columns, kPanels * kFloatPanel), work, [&](std::int64_t begin, std::int64_t end) {
    kernel.run(columns_of(p, begin * kPanels, std::min(p.columns, end * kPanels * kFloatPanel)));
  });
}

}  // namespace

std::int64_t FloatWeights::bytes() const {
  return static_cast<std::int64_t>(4 * (panels.size() + scales.size() + zeros.size()) + integers.size());
}

Status FloatLinearStep::run(const RunContext& context) {
  FloatDotParams p;
  p.left = floats_at(context, input);
  p.left_step = depth;
  p.right = weights->panels.data();
  p.quantized = {weights->bits, weights->integers.data(), weights->scales.data(), weights->zeros.data(),
                 weights->block};
  p.depth = depth;
  p.rows = rows;
  p.columns = columns;
  p.output = floats_at(context, output);
  p.output_step = columns;
  finish_with(epilogue, p);
  run_in_parts(context, *kernel, p);
  return {};
}

Status FloatMatMulStep::run(const RunContext& context) {
  float* packed = floats_at(context, panels);
  FloatDotParams p;
  p.left_step = k;
  p.right = packed;
  p.depth = k;
  p.rows = m;
  p.columns = n;
  p.output_step = n;
  finish_with(epilogue, p);
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    if (i == 0 || matrices[i].b != matrices[i - 1].b) {
      kernels::pack_float_panels(floats_at(context, b) + matrices[i].b, k, n, b_row, b_column, packed);
    }
    p.left = floats_at(context, a) + matrices[i].a;
    p.output = floats_at(context, output) + static_cast<std::ptrdiff_t>(i) * m * n;
    run_in_parts(context, *kernel, p);
  }
  return {};
}

/// Panel of the inputs under `count` windows from position `first` on.
void FloatConvStep::gather(const float* image, std::int64_t first, std::int64_t count, float* panel) const {
  struct Stretch {
    std::int64_t lane, count, row, x;
  };
  Stretch stretches[kFloatPanel];
  std::int64_t stretch_count = 0;
  for (std::int64_t lane = 0; lane < count;) {
    std::int64_t row = (first + lane) / out_width;
    std::int64_t x = (first + lane) % out_width;
    std::int64_t length = std::min(count - lane, out_width - x);
    stretches[stretch_count++] = {lane, length, row, x};
    lane += length;
  }
  for (std::int64_t c = 0; c < in_channels; ++c, image += in_plane) {
    for (std::int64_t tap = 0; tap < outer_taps; ++tap) {
      const std::int64_t* row_offsets = rows.data() + tap * out_rows;
      for (const Column& column : columns) {
        for (std::int64_t s = 0; s < stretch_count; ++s) {
          const Stretch& stretch = stretches[s];
          float* out = panel + stretch.lane;
          std::int64_t row = row_offsets[stretch.row];
          std::int64_t begin = std::clamp<std::int64_t>(column.begin - stretch.x, 0, stretch.count);
          std::int64_t end = std::clamp<std::int64_t>(column.end - stretch.x, begin, stretch.count);
          if (row < 0) {
            begin = end = stretch.count;
          }
          std::fill(out, out + begin, 0.0F);
          const float* in = image + row + column.from + stretch.x * stride;
          if (stride == 1) {
            std::copy(in + begin, in + end, out + begin);
          } else {
            for (std::int64_t i = begin; i < end; ++i) {
              out[i] = in[i * stride];
            }
          }
          std::fill(out + end, out + stretch.count, 0.0F);
        }
        std::fill(panel + count, panel + kFloatPanel, 0.0F);
        panel += kFloatPanel;
      }
    }
  }
}

/// `image` counts images and groups.
void FloatConvStep::run_block(const RunContext& context, std::int64_t image, std::int64_t first,
                              float* panels) const {
  std::int64_t count = std::min(kPositions, out_plane - first);
  const float* in = floats_at(context, input) + image * in_channels * in_plane;
  for (std::int64_t begin = 0; begin < count; begin += kFloatPanel) {
    gather(in, first + begin, std::min(kFloatPanel, count - begin), panels + begin * depth());
  }
  std::int64_t channel = image % group * out_channels;
  FloatDotParams p;
  p.left = floats_at(context, weights) + channel * depth();
  p.left_step = depth();
  p.right = panels;
  p.depth = depth();
  p.rows = out_channels;
  p.columns = count;
  p.output = floats_at(context, output) + image * out_channels * out_plane + first;
  p.output_step = out_plane;
  finish_with(epilogue, p);
  p.row_bias = has_bias ? floats_at(context, bias) + channel : nullptr;
  kernel->run(p);
}

Status FloatConvStep::run(const RunContext& context) {
  std::int64_t blocks = pieces(out_plane, kPositions);
  std::int64_t all = batch * group * blocks;
  context.in_parts(all, profile.multiply_adds / 30,
                   [&](std::int64_t begin, std::int64_t end, std::int64_t part) {
                     float* panels = floats_at(context, patches) + part * kPositions * depth();
                     for (std::int64_t i = begin; i < end; ++i) {
                       run_block(context, i / blocks, i % blocks * kPositions, panels);
                     }
                   });
  return {};
}

Status FloatDepthwiseStep::run(const RunContext& context) {
  std::int64_t all = batch * channels;
  context.in_parts(
      all, profile.multiply_adds / 5, [&](std::int64_t begin, std::int64_t end, std::int64_t part) {
        float* plane = floats_at(context, padded) + part * padded_height * padded_width;
        std::fill(plane, plane + padded_height * padded_width, 0.0F);
        for (std::int64_t i = begin; i < end; ++i) {
          const float* in = floats_at(context, input) + i * height * width;
          std::int64_t rows = std::clamp<std::int64_t>(padded_height - top, 0, height);
          std::int64_t seen = std::clamp<std::int64_t>(padded_width - left, 0, width);
          for (std::int64_t y = 0; y < rows; ++y) {
            std::copy_n(in + y * width, seen, plane + (top + y) * padded_width + left);
          }
          for (std::int64_t m = i % channels * multiplier; m < (i % channels + 1) * multiplier; ++m) {
            kernels::FloatWindowParams p;
            p.taps = taps.data();
            p.tap_count = std::ssize(taps);
            p.weights = floats_at(context, weights) + m * p.tap_count;
            p.bias = has_bias ? floats_at(context, bias) + m : nullptr;
            p.step = stride_w;
            p.count = out_width;
            p.clamps = epilogue.clamps;
            p.low = epilogue.low;
            p.high = epilogue.high;
            float* out = floats_at(context, output) +
                         (i / channels * channels * multiplier + m) * out_height * out_width;
            for (std::int64_t y = 0; y < out_height; ++y) {
              p.input = plane + y * stride_h * padded_width;
              p.output = out + y * out_width;
              kernels->window(p);
            }
          }
        }
      });
  return {};
}

}  // namespace zeropoint::engine
