// Convolutions over an input with holes, which transposed ones are: outputs that are as far apart as inputs
// are read the same taps, so that each phase of the holes is a convolution of its own, without holes.

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/layer_rules.h"
#include "engine/steps/dot_step.h"

namespace zeropoint::engine {
namespace {

/// Along one axis: the outputs phase, phase + holes, ... and what they read.
struct Phase {
  std::int64_t outputs;
  std::vector<std::int64_t> taps;  ///< of the kernel
  /// From an output's number in the phase to the input that each tap reads; one also where there is no tap.
  std::vector<std::int64_t> shifts;
};

struct Axis {
  std::int64_t kernel = 1;
  std::int64_t dilation = 1;
  std::int64_t holes = 1;
  std::int64_t pad = 0;
  std::int64_t output = 1;

  [[nodiscard]] Phase phase(std::int64_t number) const {
    Phase phase{(output - number + holes - 1) / holes, {}, {}};
    for (std::int64_t tap = 0; tap < kernel; ++tap) {
      std::int64_t filled = number + tap * dilation - pad;
      if (filled % holes == 0) {
        phase.taps.push_back(tap);
        phase.shifts.push_back(filled / holes);
      }
    }
    if (phase.taps.empty()) {
      phase.shifts.push_back(pad <= 0 ? 0 : -((pad + holes - 1) / holes));  // that no output leaves the image
    }
    return phase;
  }
};

/// The weights that a phase reads, each tap a segment; one of zeros where there is none. What the others add
/// is their sum by the zero point's byte.
DotOrder phase_order(const LinearLayer& layer, const Phase& rows, const Phase& columns, std::int64_t width,
                     std::int64_t zero_byte) {
  const Shape& w = layer.weights.shape();
  std::int64_t depth = w[1];
  std::int64_t taps = layer.weights.size() / (w[0] * depth);
  std::vector<bool> reads(static_cast<std::size_t>(taps));
  DotOrder order;
  std::vector<std::int32_t> k;
  for (std::int64_t y : rows.taps) {
    for (std::int64_t x : columns.taps) {
      std::int64_t tap = y * width + x;
      reads[static_cast<std::size_t>(tap)] = true;
      for (std::int64_t c = 0; c < depth; ++c) {
        k.push_back(static_cast<std::int32_t>(c * taps + tap));
      }
    }
  }
  order.segments = std::max<std::int64_t>(1, std::ssize(rows.taps) * std::ssize(columns.taps));
  order.depth = depth;
  k.resize(static_cast<std::size_t>(order.segments * depth), -1);
  order.copies.push_back(std::move(k));
  const std::int8_t* weight = layer.weights.data<std::int8_t>().data();
  for (std::int64_t m = 0; m < w[0]; ++m) {
    std::int64_t sum = 0;
    for (std::int64_t c = 0; c < depth; ++c) {
      for (std::int64_t tap = 0; tap < taps; ++tap, ++weight) {
        sum += reads[static_cast<std::size_t>(tap)] ? 0 : *weight;
      }
    }
    order.added_bias.push_back(sum * zero_byte);
  }
  return order;
}

}  // namespace

bool build_transposed_conv(Builder& builder, std::size_t i, const ConvOp& op) {
  const Shape& w = op.layer.weights.shape();
  const Shape& out_shape = builder.shape(op.output);
  Axis axes[2];
  std::size_t first = 4 - w.size();  // images of one axis have one row
  for (std::size_t axis = first; axis < 2; ++axis) {
    std::size_t at = axis - first;
    if (op.window.strides[at] != 1) {
      return false;
    }
    axes[axis] = {w[at + 2], op.window.dilations[at], op.window.holes[at], op.window.pads_begin[at],
                  out_shape[at + 2]};
  }
  constexpr std::int64_t kMostPhases = 64;
  if (axes[0].holes > kMostPhases || axes[1].holes > kMostPhases ||
      axes[0].holes * axes[1].holes > kMostPhases) {
    return false;
  }
  bool requantizes =
      has_tame_multipliers(op.layer, range_with_padding(builder.range(op.input), op.input_zero_point));
  Image in = builder.padded_image(op.input);
  Image out;
  if (requantizes) {
    out = builder.new_image(op.output);
  } else {
    out = accumulator_image(builder, in.batch, w[0], axes[0].output, axes[1].output);
  }
  std::int32_t input_shift = shift_of(builder.type(op.input));
  std::int64_t zero_byte = op.input_zero_point + input_shift;
  bool fills_halo = true;
  for (std::int64_t number = 0; number < axes[0].holes * axes[1].holes; ++number) {
    std::int64_t y = number / axes[1].holes;
    std::int64_t x = number % axes[1].holes;
    Phase rows = axes[0].phase(y);
    Phase columns = axes[1].phase(x);
    if (rows.outputs <= 0 || columns.outputs <= 0) {
      continue;
    }
    auto step = std::make_unique<DotStep>();
    DotOrder order = phase_order(op.layer, rows, columns, axes[1].kernel, zero_byte);
    std::int64_t channels = w[0] / op.group;
    std::vector<const kernels::DotKernel*> fit = kernels_for(
        builder.isa(), {columns.outputs, channels, order.segments, order.depth, in.batch * rows.outputs});
    step->layer = builder.layers().get<DotLayer>({i, fit[0], order.segments, number}, [&] {
      return pack_layer(op.layer, op.group, order, input_shift, fit);
    });
    const kernels::DotKernel& kernel = *step->layer->kernel;
    if (requantizes) {
      step->epilogue = requantization_epilogue(*op.layer.requantization, shift_of(builder.type(op.output)));
    }
    for (std::int64_t row : rows.shifts) {
      for (std::int64_t column : columns.shifts) {
        step->segments.push_back(row * in.row + column * in.pixel);
      }
    }
    step->segments.resize(static_cast<std::size_t>(order.segments));
    step->input = in.place;
    step->output = out.place;
    step->output.offset += (y * out.row + x * out.pixel) * (requantizes ? 1 : 4);
    step->geometry.batch = in.batch;
    step->geometry.runs = rows.outputs;
    step->geometry.input_image = in.plane;
    step->geometry.output_image = out.plane;
    step->geometry.input_run = in.row;
    step->geometry.output_run = axes[0].holes * out.row;
    step->geometry.input_group = order.depth;
    step->params.input_step = in.pixel;
    step->params.segment_count = order.segments;
    step->params.segment_depth = (order.depth + kernel.unit - 1) / kernel.unit * kernel.unit;
    step->params.channels = channels;
    step->params.positions = columns.outputs;
    step->params.row_length = columns.outputs;
    step->params.output_step = axes[1].holes * out.pixel;
    step->fills_halo = fills_halo && !in.halo.none();
    step->halo = {in, static_cast<std::uint8_t>(zero_byte)};
    fills_halo = false;
    step->profile.name = builder.program().tensor(op.output).name;
    step->profile.operation = describe(op);
    step->profile.kernel = kernel.name;
    step->profile.multiply_adds = in.batch * rows.outputs * columns.outputs * w[0] * w[1] *
                                  std::ssize(rows.taps) * std::ssize(columns.taps);
    step->prepare();
    builder.add(std::move(step), {in.place, out.place});
  }
  if (!requantizes) {
    finish_accumulators(builder, op.layer, op.output, out);
  }
  return true;
}

}  // namespace zeropoint::engine
