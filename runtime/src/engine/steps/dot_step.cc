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
  if (layer->kernel->enter != nullptr) {
    layer->kernel->enter(params);
  }
  for (std::size_t group = 0; group < layer->groups.size(); ++group) {
    run_group(context, group, 0, geometry.batch * geometry.runs);
  }
  if (layer->kernel->leave != nullptr) {
    layer->kernel->leave();
  }
  return {};
}

void DotStep::run_group(const RunContext& context, std::size_t group, std::int64_t first,
                        std::int64_t last) const {
  const PackedDot& packed = layer->groups[group];
  kernels::Epilogue e = epilogue;
  e.bias = packed.bias.data();
  e.multipliers = packed.multipliers.data();
  kernels::DotParams p = params;
  p.weights = packed.weights.data();
  p.segments = segments.data();
  p.epilogue = &e;
  std::ptrdiff_t channels = static_cast<std::ptrdiff_t>(group) * p.channels;
  const std::uint8_t* in =
      context.bytes_at(input) + static_cast<std::ptrdiff_t>(group) * geometry.input_group;
  bool wide = e.kind == kernels::EpilogueKind::kAccumulators;
  std::byte* out = context.at(output) + channels * (wide ? 4 : 1);
  const std::uint8_t* its = has_other ? context.bytes_at(other) + channels : nullptr;
  for (std::int64_t i = first; i < last; ++i) {
    std::int64_t n = i / geometry.runs;
    std::int64_t r = i % geometry.runs;
    p.input = in + n * geometry.input_image + r * geometry.input_run;
    p.output = out + (n * geometry.output_image + r * geometry.output_run) * (wide ? 4 : 1);
    if (has_other) {
      p.other = its + n * geometry.other_image + r * geometry.other_run;
    }
    layer->kernel->run(p);
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
