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

void DotStep::prepare() {
  // In a nanosecond.
  Isa isa = layer->kernel->isa;
  std::int64_t multiply_adds = isa == Isa::kAmx ? 1200 : isa == Isa::kAvx512Vnni ? 300 : 60;
  constexpr std::int64_t kOutputs = 12;
  std::int64_t outputs = geometry.batch * geometry.runs * params.positions * params.channels *
                         static_cast<std::int64_t>(layer->groups.size());
  work = profile.multiply_adds / multiply_adds + outputs / kOutputs;
  std::int64_t quads = (params.segment_depth + 3) / 4;
  for (const PackedDot& group : layer->groups) {
    std::vector<std::ptrdiff_t>& at = rest_at.emplace_back();
    for (std::int32_t quad : group.rest.quads) {
      at.push_back(segments[static_cast<std::size_t>(quad / quads)] + quad % quads * 4);
    }
  }
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

/// Runs of the batch one by one, cut along positions or channels where they are few.
void DotStep::run_group(const RunContext& context, std::size_t group) const {
  std::int64_t runs = geometry.batch * geometry.runs;
  std::int64_t of_group = work / static_cast<std::int64_t>(layer->groups.size());
  Part whole{group, 0, runs, 0, params.positions, 0, params.channels};
  if (context.pool == nullptr || runs >= std::int64_t{2} * context.threads()) {
    context.in_parts(runs, of_group, [&](std::int64_t begin, std::int64_t end) {
      Part part = whole;
      part.first = begin;
      part.last = end;
      run_part(context, part);
    });
    return;
  }
  constexpr std::int64_t kBlock = 32;  // positions or channels of the largest tile
  auto blocks_of = [](std::int64_t extent) { return (extent + kBlock - 1) / kBlock; };
  auto longest = [&](std::int64_t blocks) { return (blocks + context.threads() - 1) / context.threads(); };
  std::int64_t of_positions = blocks_of(params.positions);
  std::int64_t of_channels = blocks_of(params.channels);
  // Along positions a thread finds in its own cache what it made in the step before. Along channels it reads
  // all of the input, but a part of the weights; and where positions are few, work can be cut more evenly.
  std::int64_t by_positions = longest(of_positions) * of_channels;
  std::int64_t by_channels = longest(of_channels) * of_positions;
  std::int64_t depth = params.segment_count * params.segment_depth;
  bool cut_channels =
      by_channels * 5 < by_positions * 4 ||
      (by_channels <= by_positions && params.channels * depth > 4 * params.positions * params.input_step);
  for (std::int64_t r = 0; r < runs; ++r) {
    whole.first = r;
    whole.last = r + 1;
    context.in_parts(cut_channels ? of_channels : of_positions, of_group / runs,
                     [&](std::int64_t begin, std::int64_t end) {
                       Part part = whole;
                       if (cut_channels) {
                         part.first_channel = begin * kBlock;
                         part.channels = std::min(params.channels, end * kBlock);
                       } else {
                         part.first_position = begin * kBlock;
                         part.positions = std::min(params.positions, end * kBlock);
                       }
                       run_part(context, part);
                     });
  }
}

void DotStep::run_part(const RunContext& context, const Part& part) const {
  const PackedDot& packed = layer->groups[part.group];
  kernels::Epilogue e = epilogue;
  e.bias = packed.bias.data();
  e.multipliers = packed.multipliers.data();
  kernels::DotParams p = params;
  p.weights = packed.weights.data();
  p.rest = &packed.rest;
  p.rest_at = rest_at[part.group].data();
  p.segments = segments.data();
  p.epilogue = &e;
  p.first_channel = part.first_channel;
  p.channels = part.channels;
  p.first_position = part.first_position;
  p.positions = part.positions;
  std::ptrdiff_t channels = static_cast<std::ptrdiff_t>(part.group) * params.channels;
  bool wide = e.kind == kernels::EpilogueKind::kAccumulators;
  const std::uint8_t* in =
      context.bytes_at(input) + static_cast<std::ptrdiff_t>(part.group) * geometry.input_group;
  p.input_run = geometry.input_run;
  p.output_run = geometry.output_run;
  p.other_run = geometry.other_run;
  auto* run = finds_maxima ? layer->kernel->run_maxima : layer->kernel->run;
  if (layer->kernel->enter != nullptr) {
    layer->kernel->enter(p);
  }
  // Weights that the second cache keeps meet all runs before the next ones do.
  constexpr std::int64_t kBytes = 512 << 10;
  constexpr std::int64_t kChannels = 32;
  std::int64_t at_once =
      std::max<std::int64_t>(1, kBytes / (kChannels * p.segment_count * p.segment_depth)) * kChannels;
  for (std::int64_t first = part.first_channel; first < part.channels; first += at_once) {
    p.first_channel = first;
    p.channels = std::min(part.channels, first + at_once);
    for (std::int64_t i = part.first; i < part.last; i += p.runs) {
      std::int64_t n = i / geometry.runs;
      std::int64_t r = i % geometry.runs;
      p.runs = layer->kernel->takes_runs ? std::min(geometry.runs - r, part.last - i) : 1;
      p.input = in + n * geometry.input_image + r * geometry.input_run;
      p.output = context.at(output) +
                 (channels + n * geometry.output_image + r * geometry.output_run) * (wide ? 4 : 1);
      if (has_other) {
        p.other = context.bytes_at(other) + channels + n * geometry.other_image + r * geometry.other_run;
      }
      run(p);
    }
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
