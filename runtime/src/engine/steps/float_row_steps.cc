#include "engine/steps/float_row_steps.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "operators/softmax_lanes.h"

namespace zeropoint::engine {
namespace {

float* floats_at(const RunContext& context, Place place) {
  return reinterpret_cast<float*>(context.at(place));
}

}  // namespace

Status FloatSoftmaxStep::run(const RunContext& context) {
  const float* in = floats_at(context, from);
  float* out = floats_at(context, to);
  std::int64_t size = extent * inner;
  if (inner == 1) {
    context.in_parts(outer, outer * extent * 2, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        kernels->softmax(in + i * extent, out + i * extent, extent, logarithm);
      }
    });
    return {};
  }
  float* largest = floats_at(context, lanes);
  for (std::int64_t i = 0; i < outer; ++i) {
    operators::softmax_lanes(in + i * size, out + i * size, extent, inner, logarithm, largest,
                             largest + inner);
  }
  return {};
}

Status FloatNormalizeStep::run(const RunContext& context) {
  context.in_parts(sets, sets * count, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t set = begin; set < end; ++set) {
      kernels::FloatNormalizeParams p;
      p.input = floats_at(context, from) + set * count;
      p.output = floats_at(context, to) + set * count;
      p.count = count;
      p.stretch = stretch;
      std::int64_t first = stretch == 0 ? 0 : set % periods * (count / stretch);
      p.gain = floats_at(context, gain) + first;
      p.bias = has_bias ? floats_at(context, bias) + first : nullptr;
      p.centers = centers;
      p.epsilon = epsilon;
      kernels->normalize(p);
    }
  });
  return {};
}

Status FloatBatchNormalizeStep::run(const RunContext& context) {
  for (std::int64_t i = 0; i < batch * channels; ++i) {
    std::int64_t c = i % channels;
    double factor = static_cast<double>(floats_at(context, gain)[c]) /
                    std::sqrt(static_cast<double>(floats_at(context, variance)[c]) + epsilon);
    auto slope = static_cast<float>(factor);
    float center = floats_at(context, mean)[c];
    float offset = floats_at(context, bias)[c];
    const float* in = floats_at(context, from) + i * plane;
    float* out = floats_at(context, to) + i * plane;
    for (std::int64_t k = 0; k < plane; ++k) {
      out[k] = (in[k] - center) * slope + offset;
    }
  }
  return {};
}

Status FloatPoolStep::run(const RunContext& context) {
  std::int64_t out_plane = std::ssize(rows) * std::ssize(columns);
  context.in_parts(planes, planes * out_plane * 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane) {
      const float* in = floats_at(context, from) + plane * height * width;
      float* out = floats_at(context, to) + plane * out_plane;
      for (const PoolTaps& row : rows) {
        for (const PoolTaps& column : columns) {
          bool none = row.begin >= row.end || column.begin >= column.end;
          std::int64_t corner = (row.at + row.begin * row_dilation) * width + column.at;
          float largest =
              none ? std::numeric_limits<float>::lowest() : in[corner + column.begin * column_dilation];
          float sum = 0;
          for (std::int64_t y = row.begin; y < row.end; ++y) {
            const float* line = in + (row.at + y * row_dilation) * width + column.at;
            for (std::int64_t x = column.begin; x < column.end; ++x) {
              float value = line[x * column_dilation];
              if (averages) {
                sum += value;
              } else {
                largest = value > largest ? value : largest;
              }
            }
          }
          std::int64_t counted = counts_padding ? row.padded * column.padded
                                 : none         ? 0
                                                : (row.end - row.begin) * (column.end - column.begin);
          *out++ = averages ? sum / static_cast<float>(counted) : largest;
        }
      }
    }
  });
  return {};
}

Status FloatGlobalMeanStep::run(const RunContext& context) {
  const float* in = floats_at(context, from);
  float* out = floats_at(context, to);
  for (std::int64_t i = 0; i < planes; ++i, in += plane) {
    float sum = 0;
    for (std::int64_t k = 0; k < plane; ++k) {
      sum += in[k];
    }
    out[i] = sum / static_cast<float>(plane);
  }
  return {};
}

}  // namespace zeropoint::engine
