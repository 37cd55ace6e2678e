// Convolutions and matrix products with constant weights.

#include <algorithm>
#include <numeric>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/fuse_add.h"
#include "engine/layer_rules.h"
#include "engine/steps/dot_step.h"
#include "kernels/isa.h"

namespace zeropoint::engine {
namespace {

using kernels::DotKernel;

/// A layer as its kernel is to meet it.
struct LayerToPack {
  std::size_t operation;
  const LinearLayer& layer;
  std::int64_t group;
  const DotOrder& order;
  std::int64_t variant;  ///< tells orders of one layer apart
  std::int32_t input_shift;
};

/// The weights packed for the best kernel.
std::shared_ptr<const DotLayer> packed_layer(Builder& builder, const LayerToPack& what,
                                             std::int64_t positions, std::int64_t runs) {
  std::int64_t channels = what.layer.weights.dim(0) / what.group * std::ssize(what.order.copies);
  std::vector<const DotKernel*> fit =
      kernels_for(builder.isa(), {positions, channels, what.order.segments, what.order.depth, runs});
  return builder.layers().get<DotLayer>({what.operation, fit[0], what.order.segments, what.variant}, [&] {
    return pack_layer(what.layer, what.group, what.order, what.input_shift, fit);
  });
}

/// One way to walk an image: row by row, or all rows with their halo as one.
struct Walk {
  std::int64_t runs;
  std::int64_t positions;
  std::int64_t row_length;
  std::int64_t row_gap;
};

std::int64_t tiles(std::int64_t positions, std::int64_t tile) { return (positions + tile - 1) / tile; }

Walk choose_walk(std::int64_t height, std::int64_t width, std::int64_t period, bool as_one,
                 const DotKernel& kernel) {
  Walk rows{height, width, width, 0};
  Walk one{1, (height - 1) * period + width, width, period - width};
  if (!as_one) {
    return rows;
  }
  // Tiles of 16 leave the rest of a short row unused; others are cut to size, for the price of loading
  // weights anew.
  auto cost = [&](std::int64_t positions) {
    if (kernel.unit == 64) {
      return tiles(positions, 16) * 16;
    }
    std::int64_t tile = kernel.isa == Isa::kAvx512Vnni ? 12 : 6;
    return positions + tile / 4 * tiles(positions, tile);
  };
  return cost(one.positions) <= height * cost(width) ? one : rows;
}

}  // namespace

Image accumulator_image(Builder& builder, std::int64_t batch, std::int64_t channels, std::int64_t height,
                        std::int64_t width) {
  Image image;
  image.batch = batch;
  image.channels = channels;
  image.height = height;
  image.width = width;
  image.pixel = channels;
  image.row = width * image.pixel;
  image.plane = height * image.row;
  image.place = builder.new_scratch(batch * image.plane * 4);
  return image;
}

void finish_accumulators(Builder& builder, const LinearLayer& layer, TensorId output, const Image& from) {
  if (layer.requantization) {
    auto step = std::make_unique<RequantizeStep>();
    step->from = from.place;
    step->requantization = *layer.requantization;
    step->shift = shift_of(builder.type(output));
    std::size_t rank = builder.shape(output).size();
    if (rank == 3 || rank == 4) {
      step->to = builder.new_image(output);
    }
    step->profile.operation = "Requantize";
    step->profile.kernel = "requantize";
    step->profile.name = builder.program().tensor(output).name;
    std::vector<Place> places{from.place, step->to.place};
    builder.add(std::move(step), places);
    return;
  }
  auto step = std::make_unique<AccumulatorsFromImageStep>();
  step->from = from.place;
  step->to = builder.new_exact(output);
  step->batch = from.batch;
  step->plane = from.height * from.width;
  step->channels = from.channels;
  step->profile.operation = "Layout";
  step->profile.kernel = "from_nhwc";
  step->profile.name = builder.program().tensor(output).name;
  std::vector<Place> places{step->from, step->to};
  builder.add(std::move(step), places);
}

bool build_conv(Builder& builder, std::size_t i, const ConvOp& op) {
  const Shape& w = op.layer.weights.shape();
  if (!multiplies_bytes(builder, op.layer, op.input, op.output) || w.size() < 3 || w.size() > 4 ||
      !builder.has_room_for_pads(op)) {
    return false;
  }
  if (std::ranges::any_of(op.window.holes, [](std::int64_t h) { return h != 1; })) {
    return build_transposed_conv(builder, i, op);
  }
  if (build_depthwise(builder, i, op) || build_pooled_conv(builder, i, op)) {
    return true;
  }
  QuantizedRange in_range = range_with_padding(builder.range(op.input), op.input_zero_point);
  bool requantizes = has_tame_multipliers(op.layer, in_range);
  Image in = builder.padded_image(op.input);
  ImageWindow window = image_window(op, in);
  std::int64_t depth = w[1];
  std::int64_t taps = window.kernel_h * window.kernel_w;

  const Shape& out_shape = builder.shape(op.output);
  std::int64_t height = w.size() == 4 ? out_shape[2] : 1;
  std::int64_t width = out_shape.back();
  std::int64_t channels = w[0] / op.group;
  std::int32_t input_shift = shift_of(builder.type(op.input));
  auto step = std::make_unique<DotStep>();
  std::optional<FusedAdd> addition = requantizes ? addition_behind(builder, op.output) : std::nullopt;
  Image out;
  if (requantizes) {
    TensorId made = addition ? addition->op->output : op.output;
    Image other = addition ? builder.image(addition->other) : Image();
    out = builder.new_image(made);
    step->epilogue = requantization_epilogue(*op.layer.requantization, shift_of(builder.type(op.output)));
    if (addition) {
      set_addition(builder, *addition->op, op.output, step->epilogue);
      step->has_other = true;
      step->other = other.place;
      step->params.other_step = other.pixel;
      step->params.other_row = other.row;
      step->geometry.other_image = other.plane;
      step->geometry.other_run = other.row;
      builder.mark_made(made);
    }
  } else {
    out = accumulator_image(builder, in.batch, w[0], height, width);
  }

  // A kernel row is one segment where its taps lie side by side, else each tap is one.
  bool whole_rows = window.dilation_w == 1 && in.pixel == depth;
  bool dense = whole_rows && op.group == 1 && out.pixel == channels && !addition;
  // A window that grew by strides longer than itself would be mostly zeros, however far they reach.
  bool overlap = window.stride_w <= window.kernel_w;
  std::int64_t copies = dense && overlap ? neighbours_as_channels(op.layer, width) : 1;
  std::vector<std::int64_t> places(static_cast<std::size_t>(copies));
  std::iota(places.begin(), places.end(), 0);
  DotOrder order = conv_order(window, depth, whole_rows, places);
  std::vector<std::ptrdiff_t> segments;
  for (std::int64_t tap = 0; tap < taps; tap += whole_rows ? window.kernel_w : 1) {
    segments.push_back(window.taps[static_cast<std::size_t>(tap)]);
  }
  step->layer = packed_layer(builder, {i, op.layer, op.group, order, copies, input_shift},
                             height * width / copies, in.batch);
  const DotKernel& kernel = *step->layer->kernel;

  bool unstrided = window.stride_h == 1 && window.stride_w == 1;
  std::int64_t period = in.row / in.pixel;
  bool as_one = unstrided && in.row % in.pixel == 0 && period % copies == 0;
  Walk walk = choose_walk(height, width / copies, period / copies, as_one, kernel);
  // Images that lie one behind the other without a gap are one.
  bool joined = unstrided && in.is_dense() && out.is_dense() && taps == 1 && !window.padded &&
                width == in.width && height == in.height;
  if (joined && addition) {
    joined = step->params.other_row == width * step->params.other_step &&
             (in.batch == 1 || step->geometry.other_image == height * step->params.other_row);
  }
  if (joined) {
    std::int64_t all = in.batch * height * width;
    walk = {1, all / copies, all / copies, 0};
  }
  step->input = in.place;
  step->output = out.place;
  step->segments = std::move(segments);
  step->geometry.batch = joined ? 1 : in.batch;
  step->geometry.runs = walk.runs;
  step->geometry.input_image = in.plane;
  step->geometry.output_image = out.plane;
  step->geometry.input_run = window.stride_h * in.row;
  step->geometry.output_run = out.row;
  step->geometry.input_group = depth;
  step->params.input_step = window.stride_w * in.pixel * copies;
  step->params.segment_count = order.segments;
  step->params.segment_depth = tiles(order.depth, kernel.unit) * kernel.unit;
  step->params.channels = channels * copies;
  step->params.positions = walk.positions;
  step->params.row_length = walk.row_length;
  step->params.row_gap = walk.row_gap;
  step->params.output_step = out.pixel * copies;
  step->params.output_row = out.row;
  step->fills_halo = window.padded;
  step->halo = {in, static_cast<std::uint8_t>(op.input_zero_point + input_shift)};
  step->profile.name = builder.program().tensor(addition ? addition->op->output : op.output).name;
  step->profile.operation = describe(op) + (addition ? " + Add" : "");
  step->profile.kernel = kernel.name;
  step->profile.multiply_adds = in.batch * height * width * w[0] * depth * taps;
  std::vector<Place> touched{in.place, out.place};
  if (step->has_other) {
    touched.push_back(step->other);
  }
  step->prepare();
  builder.add(std::move(step), touched);
  if (!requantizes) {
    finish_accumulators(builder, op.layer, op.output, out);
  }
  return true;
}

bool build_fully_connected(Builder& builder, std::size_t i, const FullyConnectedOp& op) {
  if (!multiplies_bytes(builder, op.layer, op.input, op.output)) {
    return false;
  }
  std::int64_t depth = op.layer.weights.dim(1);
  std::int64_t channels = op.layer.weights.dim(0);
  std::int64_t rows = *element_count(builder.shape(op.input)) / depth;
  std::int32_t input_shift = shift_of(builder.type(op.input));
  DotOrder order;
  order.depth = depth;
  // An image that was flattened stays as it is; the weights are brought to its order.
  std::optional<Image> image = builder.flattened_image(op.input);
  bool in_place = image && image->is_dense() && builder.is_in_arena(image->place);
  std::int64_t plane = in_place ? image->height * image->width : 1;
  order.copies.resize(1);
  for (std::int64_t k = 0; k < depth; ++k) {
    order.copies[0].push_back(
        static_cast<std::int32_t>(in_place ? k % image->channels * plane + k / image->channels : k));
  }
  auto step = std::make_unique<DotStep>();
  step->input = in_place ? image->place : builder.padded_plain(op.input);
  step->layer = packed_layer(builder, {i, op.layer, 1, order, plane, input_shift}, rows, 1);
  const DotKernel& kernel = *step->layer->kernel;
  bool requantizes = has_tame_multipliers(op.layer, builder.range(op.input));
  std::optional<FusedAdd> addition = requantizes ? addition_behind(builder, op.output) : std::nullopt;
  if (requantizes) {
    TensorId made = addition ? addition->op->output : op.output;
    step->epilogue = requantization_epilogue(*op.layer.requantization, shift_of(builder.type(op.output)));
    if (addition) {
      step->other = builder.plain(addition->other);
      step->has_other = true;
      step->params.other_step = channels;
      set_addition(builder, *addition->op, op.output, step->epilogue);
      builder.mark_made(made);
    }
    step->output = builder.new_plain(made);
  } else if (!op.layer.requantization) {
    step->output = builder.new_exact(op.output);
  } else {
    step->output = builder.new_scratch(rows * channels * 4);
  }
  step->segments = {0};
  step->params.input_step = depth;
  step->params.segment_count = 1;
  step->params.segment_depth = tiles(depth, kernel.unit) * kernel.unit;
  step->params.channels = channels;
  step->params.positions = rows;
  step->params.row_length = rows;
  step->params.output_step = channels;
  step->profile.name = builder.program().tensor(addition ? addition->op->output : op.output).name;
  step->profile.operation = describe(op) + (addition ? " + Add" : "");
  step->profile.kernel = kernel.name;
  step->profile.multiply_adds = rows * channels * depth;
  Place output = step->output;
  std::vector<Place> places{step->input, step->output};
  if (step->has_other) {
    places.push_back(step->other);
  }
  step->prepare();
  builder.add(std::move(step), places);
  if (!requantizes && op.layer.requantization) {
    auto finish = std::make_unique<RequantizeStep>();
    finish->from = output;
    finish->requantization = *op.layer.requantization;
    finish->shift = shift_of(builder.type(op.output));
    Place to = builder.new_plain(op.output);
    finish->to = {to, 1, channels, 1, rows, channels, rows * channels, rows * channels, {}};
    finish->profile.name = builder.program().tensor(op.output).name;
    finish->profile.operation = "Requantize";
    finish->profile.kernel = "requantize";
    builder.add(std::move(finish), {output, to});
  }
  return true;
}

}  // namespace zeropoint::engine
