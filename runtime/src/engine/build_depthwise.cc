// Convolutions with one input and one output channel per group.

#include <algorithm>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/layer_rules.h"
#include "engine/steps/depthwise_step.h"
#include "kernels/isa.h"

namespace zeropoint::engine {
namespace {

const kernels::DepthwiseKernel& kernel_for(Isa isa, const kernels::DepthwiseWindow& window) {
  std::span<const kernels::DepthwiseKernel> all = kernels::depthwise_kernels();
  return *std::ranges::find_if(all, [&](const kernels::DepthwiseKernel& kernel) {
    return kernels::includes(isa, kernel.isa) && (kernel.fits == nullptr || kernel.fits(window));
  });
}

}  // namespace

bool build_depthwise(Builder& builder, std::size_t i, const ConvOp& op) {
  const Shape& w = op.layer.weights.shape();
  bool depthwise = op.group > 1 && op.group == w[0] && w[1] == 1;
  if (!depthwise ||
      !has_tame_multipliers(op.layer, range_with_padding(builder.range(op.input), op.input_zero_point))) {
    return false;
  }
  Image in = builder.padded_image(op.input);
  if (!in.rows_are_dense()) {
    return false;
  }
  Image out = builder.new_image(op.output);
  ImageWindow window = image_window(op, in);
  std::int32_t input_shift = shift_of(builder.type(op.input));
  auto step = std::make_unique<DepthwiseStep>();
  step->kernel = &kernel_for(builder.isa(), {window.kernel_h, (window.kernel_w - 1) * window.dilation_w + 1});
  step->layer = builder.layers().get<DepthwiseLayer>({i, step->kernel, 0, 0}, [&] {
    return pack_depthwise(op.layer, input_shift, window.kernel_w, *step->kernel);
  });
  step->epilogue = requantization_epilogue(*op.layer.requantization, shift_of(builder.type(op.output)));
  step->window_width = window.kernel_w;
  step->taps = std::move(window.taps);
  step->input = in;
  step->output = out;
  step->row_step = window.stride_h * in.row;
  step->column_step = window.stride_w * in.pixel;
  step->fills_halo = window.padded;
  step->halo = {in, static_cast<std::uint8_t>(op.input_zero_point + input_shift)};
  step->profile.name = builder.program().tensor(op.output).name;
  step->profile.operation = describe(op);
  step->profile.kernel = step->kernel->name;
  step->profile.multiply_adds =
      out.batch * out.height * out.width * out.channels * static_cast<std::int64_t>(step->taps.size());
  builder.add(std::move(step), {in.place, out.place});
  return true;
}

}  // namespace zeropoint::engine
