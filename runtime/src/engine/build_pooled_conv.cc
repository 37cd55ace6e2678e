// Convolutions of few channels of which a MaxPool keeps the largest of 2 x 2: multipliers are positive, so
// the largest sum becomes the largest result.

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/layer_rules.h"
#include "engine/steps/dot_step.h"
#include "zeropoint/window.h"

namespace zeropoint::engine {
namespace {

/// The MaxPool that is all that reads `id` and keeps the largest of each 2 x 2, which do not overlap.
const EvaluateOp* pool_behind(const Builder& builder, TensorId id) {
  if (builder.readers(id).size() != 1 || builder.is_output(id)) {
    return nullptr;
  }
  const auto* op = std::get_if<EvaluateOp>(&builder.program().operations[builder.readers(id)[0]]);
  if (op == nullptr || op->op != Op::kMaxPool || op->outputs.size() != 1 ||
      builder.type(op->outputs[0]) != builder.type(id) || !builder.is_static(op->outputs[0])) {
    return nullptr;
  }
  Result<WindowGeometry> window = window_geometry(op->op, op->attributes, builder.shape(id), {});
  using Extents = std::vector<std::int64_t>;
  bool halves = window.ok() && window->kernel == Extents{2, 2} && window->strides == Extents{2, 2} &&
                window->dilations == Extents{1, 1} && window->pads_begin == Extents{0, 0} &&
                window->pads_end == Extents{0, 0} && window->output[0] * 2 <= window->input[0] &&
                window->output[1] * 2 <= window->input[1];
  return halves ? op : nullptr;
}

}  // namespace

bool build_pooled_conv(Builder& builder, std::size_t i, const ConvOp& op) {
  const Shape& w = op.layer.weights.shape();
  constexpr std::int64_t kPanel = 16;
  const EvaluateOp* pool =
      w.size() == 4 && w[0] <= kPanel && op.group == 1 ? pool_behind(builder, op.output) : nullptr;
  if (pool == nullptr ||
      !has_tame_multipliers(op.layer, range_with_padding(builder.range(op.input), op.input_zero_point))) {
    return false;
  }
  Image in = builder.padded_image(op.input);
  ImageWindow window = image_window(op, in);
  std::int64_t depth = w[1];
  // Windows of two positions are multiplied by zeros for a stride more: that must cost less than what it
  // saves, which is three of four requantizations.
  constexpr std::int64_t kMostZeros = 48;
  if (window.dilation_w != 1 || in.pixel != depth || window.kernel_h * window.stride_w * depth > kMostZeros) {
    return false;
  }
  const Shape& out_shape = builder.shape(pool->outputs[0]);
  auto order_of = [&](std::int64_t copies) {
    std::vector<std::int64_t> places;
    for (std::int64_t odd : {0, 1}) {
      for (std::int64_t copy = 0; copy < copies; ++copy) {
        places.push_back(2 * copy + odd);
      }
    }
    DotOrder order = conv_order(window, depth, true, places);
    order.in_halves = true;
    return order;
  };
  std::int64_t copies = neighbours_as_channels(op.layer, out_shape[3]);
  DotOrder order = order_of(copies);
  std::int64_t runs = in.batch * out_shape[2];
  const kernels::DotKernel* kernel = kernels_for(
      builder.isa(), {out_shape[3] / copies * 2, 2 * kPanel, order.segments, order.depth, runs})[0];
  if (kernel->run_maxima == nullptr) {
    return false;
  }
  Image out = builder.new_image(pool->outputs[0]);
  builder.mark_made(pool->outputs[0]);
  if (!out.rows_are_dense()) {
    copies = 1;
    order = order_of(copies);
  }
  std::int32_t input_shift = shift_of(builder.type(op.input));
  auto step = std::make_unique<DotStep>();
  // The variants of convolutions that are not pooled are above 0.
  step->layer = builder.layers().get<DotLayer>({i, kernel, order.segments, -copies}, [&] {
    return pack_layer(op.layer, 1, order, input_shift, std::span(&kernel, 1));
  });
  step->finds_maxima = true;
  step->epilogue = requantization_epilogue(*op.layer.requantization, shift_of(builder.type(op.output)));
  step->input = in.place;
  step->output = out.place;
  for (std::int64_t y = 0; y < window.kernel_h; ++y) {
    step->segments.push_back(window.taps[static_cast<std::size_t>(y * window.kernel_w)]);
  }
  step->geometry.batch = in.batch;
  step->geometry.runs = out.height;
  step->geometry.input_image = in.plane;
  step->geometry.output_image = out.plane;
  step->geometry.input_run = 2 * window.stride_h * in.row;
  step->geometry.output_run = out.row;
  step->params.input_step = 2 * window.stride_w * in.pixel * copies;
  step->params.second_line = window.stride_h * in.row;
  step->params.segment_count = order.segments;
  step->params.segment_depth = (order.depth + kernel->unit - 1) / kernel->unit * kernel->unit;
  step->params.channels = w[0] * copies;
  step->params.positions = out.width / copies;
  step->params.row_length = out.width / copies;
  step->params.output_step = out.pixel * copies;
  step->fills_halo = window.padded;
  step->halo = {in, static_cast<std::uint8_t>(op.input_zero_point + input_shift)};
  step->profile.name = builder.program().tensor(pool->outputs[0]).name;
  step->profile.operation = describe(op) + " + MaxPool";
  step->profile.kernel = kernel->name;
  step->profile.multiply_adds = 4 * out.batch * out.height * out.width * op.layer.weights.size();
  step->prepare();
  builder.add(std::move(step), {in.place, out.place});
  return true;
}

}  // namespace zeropoint::engine
