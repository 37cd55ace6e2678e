#include "engine/steps/dot_step.h"

#include <algorithm>
#include <cstring>

#include "zeropoint/requantize.h"

namespace zeropoint::engine {

void HaloFill::fill(const RunContext& context, std::int64_t batch) const {
  const Halo& halo = image.halo;
  std::uint8_t* origin = context.bytes_at(image.place) + batch * image.plane;
  std::int64_t left = halo.left * image.pixel;
  std::int64_t side = left + halo.right * image.pixel;
  // Behind each row lie its right and the next one's left columns.
  std::memset(origin - left - halo.top * image.row, value,
              static_cast<std::size_t>(halo.top * image.row + left));
  std::uint8_t* end = origin + image.width * image.pixel;
  for (std::int64_t y = 0; y + 1 < image.height && side > 0; ++y) {
    std::memset(end + y * image.row, value, static_cast<std::size_t>(side));
  }
  std::memset(end + (image.height - 1) * image.row, value,
              static_cast<std::size_t>(halo.right * image.pixel + halo.bottom * image.row));
}

Status DotStep::run(const RunContext& context) {
  if (fills_halo) {
    for (std::int64_t n = 0; n < geometry.batch; ++n) {
      halo.fill(context, n);
    }
  }
  for (std::size_t group = 0; group < layer->groups.size(); ++group) {
    run_group(context, group);
  }
  return {};
}

/// Cut along what there is enough of: runs, else the rows of one, its positions or its channels.
void DotStep::run_group(const RunContext& context, std::size_t group) const {
  std::int64_t runs = geometry.batch * geometry.runs;
  std::int64_t work = profile.multiply_adds / static_cast<std::int64_t>(layer->groups.size()) / 200;
  Part whole{group, 0, runs, 0, params.positions, 0, params.channels};
  std::int64_t enough = std::int64_t{2} * context.threads();
  if (context.pool == nullptr || runs >= enough) {
    context.in_parts(runs, work, [&](std::int64_t begin, std::int64_t end) {
      Part part = whole;
      part.first = begin;
      part.last = end;
      run_part(context, part);
    });
    return;
  }
  std::int64_t period = params.row_length + params.row_gap;
  std::int64_t rows = (params.positions + params.row_gap) / period;
  constexpr std::int64_t kBlock = 32;  // positions or channels of the largest tile
  for (std::int64_t r = 0; r < runs; ++r) {
    whole.first = r;
    whole.last = r + 1;
    if (rows > 1) {
      context.in_parts(rows, work / runs, [&](std::int64_t begin, std::int64_t end) {
        Part part = whole;
        part.first_position = begin * period;
        part.positions = (end - begin) * period - params.row_gap;
        run_part(context, part);
      });
    } else if (params.positions >= enough * kBlock) {
      std::int64_t blocks = (params.positions + kBlock - 1) / kBlock;
      context.in_parts(blocks, work / runs, [&](std::int64_t begin, std::int64_t end) {
        Part part = whole;
        part.first_position = begin * kBlock;
        part.positions = std::min(params.positions, end * kBlock) - part.first_position;
        run_part(context, part);
      });
    } else {
      std::int64_t blocks = (params.channels + kBlock - 1) / kBlock;
      context.in_parts(blocks, work / runs, [&](std::int64_t begin, std::int64_t end) {
        Part part = whole;
        part.first_channel = begin * kBlock;
        part.channels = std::min(params.channels, end * kBlock);
        run_part(context, part);
      });
    }
  }
}

void DotStep::run_part(const RunContext& context, const Part& part) const {
  const PackedDot& packed = layer->groups[part.group];
  kernels::Epilogue e = epilogue;
  e.bias = packed.bias.data();
  e.multipliers = packed.multipliers.data();
  kernels::DotParams p = params;
  p.weights = packed.weights.data();
  p.segments = segments.data();
  p.epilogue = &e;
  p.first_channel = part.first_channel;
  p.channels = part.channels;
  p.positions = part.positions;
  std::int64_t row =
      part.first_position == 0 ? 0 : part.first_position / (params.row_length + params.row_gap);
  std::int64_t column = part.first_position - row * (params.row_length + params.row_gap);
  std::ptrdiff_t channels = static_cast<std::ptrdiff_t>(part.group) * params.channels;
  bool wide = e.kind == kernels::EpilogueKind::kAccumulators;
  const std::uint8_t* in = context.bytes_at(input) +
                           static_cast<std::ptrdiff_t>(part.group) * geometry.input_group +
                           part.first_position * p.input_step;
  std::ptrdiff_t out = channels + row * p.output_row + column * p.output_step;
  std::ptrdiff_t its = channels + row * p.other_row + column * p.other_step;
  if (column != 0) {
    p.row_length = part.positions;  // of the one row that there is
  }
  if (layer->kernel->enter != nullptr) {
    layer->kernel->enter(p);
  }
  for (std::int64_t i = part.first; i < part.last; ++i) {
    std::int64_t n = i / geometry.runs;
    std::int64_t r = i % geometry.runs;
    p.input = in + n * geometry.input_image + r * geometry.input_run;
    p.output =
        context.at(output) + (out + n * geometry.output_image + r * geometry.output_run) * (wide ? 4 : 1);
    if (has_other) {
      p.other = context.bytes_at(other) + its + n * geometry.other_image + r * geometry.other_run;
    }
    layer->kernel->run(p);
  }
  if (layer->kernel->leave != nullptr) {
    layer->kernel->leave();
  }
}

Status RequantizeStep::run(const RunContext& context) {
  const auto* in = reinterpret_cast<const std::int32_t*>(context.at(from));
  std::visit(
      [&](const auto& multipliers) {
        for (std::int64_t i = 0; i < to.batch * to.height; ++i) {
          std::uint8_t* row = context.bytes_at(to.place) + i / to.height * to.plane + i % to.height * to.row;
          for (std::int64_t x = 0; x < to.width; ++x) {
            for (std::int64_t m = 0; m < to.channels; ++m) {
              std::int64_t q = requantize(std::int64_t{*in++}, multipliers[static_cast<std::size_t>(m)],
                                          requantization.zero_point, requantization.clamp);
              row[x * to.pixel + m] = static_cast<std::uint8_t>(q + shift);
            }
          }
        }
      },
      requantization.multipliers);
  return {};
}

Status AccumulatorsFromImageStep::run(const RunContext& context) {
  const auto* in = reinterpret_cast<const std::int32_t*>(context.at(from));
  auto* out = reinterpret_cast<std::int32_t*>(context.at(to));
  for (std::int64_t n = 0; n < batch; ++n, in += plane * channels) {
    for (std::int64_t m = 0; m < channels; ++m) {
      for (std::int64_t i = 0; i < plane; ++i) {
        *out++ = in[i * channels + m];
      }
    }
  }
  return {};
}

}  // namespace zeropoint::engine
