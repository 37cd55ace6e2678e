#include "engine/steps/depthwise_step.h"

#include <algorithm>

namespace zeropoint::engine {

std::int64_t DepthwiseLayer::bytes() const {
  return static_cast<std::int64_t>(packed.weights.size() +
                                   4 * (packed.bias.size() + packed.multipliers.size()));
}

std::shared_ptr<const DepthwiseLayer> pack_depthwise(const LinearLayer& layer, std::int32_t input_shift,
                                                     std::int64_t window_width,
                                                     const kernels::DepthwiseKernel& kernel) {
  std::span<const std::int8_t> weights = layer.weights.data<std::int8_t>();
  std::size_t channels = layer.folded_bias.size();
  std::size_t taps = weights.size() / channels;
  std::vector<std::int32_t> bias;
  for (std::size_t c = 0; c < channels; ++c) {
    std::int64_t sum = 0;
    for (std::int8_t w : weights.subspan(c * taps, taps)) {
      sum += w;
    }
    bias.push_back(static_cast<std::int32_t>(layer.folded_bias[c] - input_shift * sum));
  }
  const auto& multipliers = std::get<std::vector<float>>(layer.requantization->multipliers);
  auto result = std::make_shared<DepthwiseLayer>();
  result->packed = kernel.pack(weights, bias, multipliers, window_width);
  return result;
}

Status DepthwiseStep::run(const RunContext& context) {
  kernels::Epilogue e = epilogue;
  e.bias = layer->packed.bias.data();
  e.multipliers = layer->packed.multipliers.data();
  kernels::DepthwiseParams p;
  p.input_step = column_step;
  p.taps = taps.data();
  p.tap_count = std::ssize(taps);
  p.weights = layer->packed.weights.data();
  p.blocks = layer->packed.blocks;
  p.channels = output.channels;
  p.positions = output.width;
  p.output_step = output.pixel;
  p.input_row = row_step;
  p.output_row = output.row;
  p.window_width = window_width;
  p.pixel = input.pixel;
  p.epilogue = &e;
  for (std::int64_t n = 0; n < output.batch && fills_halo; ++n) {
    halo.fill(context, n);
  }
  context.in_parts(output.batch * output.height, profile.multiply_adds / 20,
                   [&](std::int64_t begin, std::int64_t end) {
                     kernels::DepthwiseParams row = p;
                     for (std::int64_t i = begin; i < end; i += row.rows) {
                       std::int64_t n = i / output.height;
                       std::int64_t y = i % output.height;
                       row.rows = kernel->takes_rows ? std::min(output.height - y, end - i) : 1;
                       row.input = context.bytes_at(input.place) + n * input.plane + y * row_step;
                       row.output = context.bytes_at(output.place) + n * output.plane + y * output.row;
                       kernel->run(row);
                     }
                   });
  return {};
}

}  // namespace zeropoint::engine
