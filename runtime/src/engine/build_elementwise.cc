// Borders between reals and integers, sums, tables and means over images.

#include <algorithm>
#include <cmath>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/fuse_add.h"
#include "engine/steps/image_steps.h"
#include "operators/axes.h"

namespace zeropoint::engine {
namespace {

void name_step(const Builder& builder, Step& step, const Operation& operation, std::string_view kernel) {
  step.profile.name = builder.program().tensor(outputs_of(operation)[0]).name;
  step.profile.operation = describe(operation);
  step.profile.kernel = kernel;
}

/// Operands and result of one shape: images where one of the operands is, else plain.
Stretches stretches_of(Builder& builder, const std::vector<TensorId>& operands, TensorId result,
                       std::vector<Stretches::Of>& tensors) {
  bool as_images = std::ranges::any_of(operands, [&](TensorId id) { return builder.has_image(id); });
  if (!as_images) {
    for (TensorId id : operands) {
      tensors.push_back({builder.plain(id)});
    }
    tensors.push_back({builder.new_plain(result)});
    return {1, 1, 1, *element_count(builder.shape(result))};
  }
  std::vector<Image> images;
  for (TensorId id : operands) {
    images.push_back(builder.image(id));
  }
  images.push_back(builder.new_image(result));
  for (const Image& image : images) {
    tensors.push_back({image.place, image.plane, image.row, image.pixel});
  }
  return Stretches::of(images);
}

std::vector<Place> places_of(const std::vector<Stretches::Of>& tensors) {
  std::vector<Place> places;
  for (const Stretches::Of& tensor : tensors) {
    places.push_back(tensor.place);
  }
  return places;
}

/// [N, C, L] or [N, C, H, W] with the spatial axes, and no others, among `axes`.
bool covers_pixels(const std::vector<std::int64_t>& axes, std::int64_t rank) {
  std::vector<bool> reduced(static_cast<std::size_t>(rank));
  for (std::int64_t axis : axes) {
    reduced[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)] = true;
  }
  return !reduced[0] && !reduced[1] &&
         std::all_of(reduced.begin() + 2, reduced.end(), [](bool r) { return r; });
}

}  // namespace

bool build_quantize(Builder& builder, const QuantizeOp& op) {
  if (!is_byte(builder.type(op.output))) {
    return false;
  }
  auto step = std::make_unique<QuantizeStep>();
  std::int32_t shift = shift_of(builder.type(op.output));
  step->params = {op.to.params.scale, static_cast<std::int32_t>(op.to.params.zero_point) + shift,
                  static_cast<std::uint8_t>(op.to.range.q_min + shift),
                  static_cast<std::uint8_t>(op.to.range.q_max + shift)};
  step->kernels = &kernels::elementwise_for(builder.isa());
  step->from = builder.exact(op.input);
  step->count = *element_count(builder.shape(op.output));
  if (builder.wants_image(op.output)) {
    step->to = builder.new_image(op.output);
    step->to_image = step->to.channels != 1 || !step->to.is_dense();  // else it lies as it comes
  } else {
    step->to.place = builder.new_plain(op.output);
  }
  name_step(builder, *step, op, step->kernels->name);
  std::vector<Place> places{step->from, step->to.place};
  builder.add(std::move(step), places);
  return true;
}

bool build_dequantize(Builder& builder, const DequantizeOp& op) {
  const Shape& shape = builder.shape(op.input);
  ElementType type = builder.type(op.input);
  bool bytes = is_byte(type) && op.from.scales.size() == 1;
  auto channels = static_cast<std::int64_t>(op.from.scales.size());
  std::int64_t rank = std::ssize(shape);
  bool last_axis = rank > 0 && (op.from.axis == -1 || op.from.axis == rank - 1) && shape.back() == channels;
  bool sums = type == ElementType::kInt32 && op.from.zero_point == 0 && (channels == 1 || last_axis);
  if (!bytes && !sums) {
    return false;
  }
  auto step = std::make_unique<DequantizeStep>();
  step->kernels = &kernels::elementwise_for(builder.isa());
  step->sums = sums;
  step->count = *element_count(shape);
  if (sums) {
    step->from = builder.exact(op.input);
    std::int64_t last = rank == 0 ? 1 : shape.back();
    step->rows = step->count / last;
    step->count = last;
    step->scales = channels == 1 ? std::vector<float>(static_cast<std::size_t>(last), op.from.scales[0])
                                 : op.from.scales;
  } else {
    step->from = builder.plain(op.input);
    step->scale = op.from.scales[0];
    step->zero_point = static_cast<std::int32_t>(op.from.zero_point) + shift_of(type);
  }
  step->to = builder.new_exact(op.output);
  name_step(builder, *step, op, step->kernels->name);
  std::vector<Place> places{step->from, step->to};
  builder.add(std::move(step), places);
  return true;
}

bool build_add(Builder& builder, const AddOp& op) {
  if (builder.shape(op.a) != builder.shape(op.b)) {
    return build_broadcast_add(builder, op);
  }
  if (!is_tame(builder, op)) {
    return false;
  }
  auto step = std::make_unique<AddStep>();
  step->kernels = &kernels::elementwise_for(builder.isa());
  set_addition(builder, op, op.a, step->epilogue);
  std::vector<Stretches::Of> tensors;
  step->stretches = stretches_of(builder, {op.a, op.b}, op.output, tensors);
  step->a = tensors[0];
  step->b = tensors[1];
  step->to = tensors[2];
  name_step(builder, *step, op, step->kernels->name);
  builder.add(std::move(step), places_of(tensors));
  return true;
}

bool build_table(Builder& builder, const TableOp& op) {
  bool bytes = is_byte(builder.type(op.input)) && is_byte(builder.type(op.output));
  if (op.tables.rank() == 2) {
    return build_channel_table(builder, op);
  }
  if (!bytes || op.tables.size() != 256) {
    return false;
  }
  auto step = std::make_unique<TableStep>();
  step->kernels = &kernels::elementwise_for(builder.isa());
  visit_integer(op.tables.type(), [&](auto element) {
    for (auto entry : op.tables.data<decltype(element)>()) {
      step->table.push_back(
          static_cast<std::uint8_t>(static_cast<std::int32_t>(entry) + shift_of(builder.type(op.output))));
    }
  });
  std::vector<Stretches::Of> tensors;
  step->stretches = stretches_of(builder, {op.input}, op.output, tensors);
  step->from = tensors[0];
  step->to = tensors[1];
  name_step(builder, *step, op, step->kernels->name);
  builder.add(std::move(step), places_of(tensors));
  return true;
}

bool build_reduce(Builder& builder, const ReduceOp& op) {
  const Shape& shape = builder.shape(op.input);
  std::int64_t rank = std::ssize(shape);
  bool bytes = is_byte(builder.type(op.input)) && is_byte(builder.type(op.output));
  if (!bytes || (rank != 3 && rank != 4) || !covers_pixels(op.axes, rank)) {
    return false;
  }
  std::int64_t pixels = rank == 4 ? shape[2] * shape[3] : shape[2];
  float n = op.mean ? static_cast<float>(pixels) : 1.0F;
  float factor = op.from.scale / (op.to.params.scale * n);
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 22;  // whose sum fits int32
  if (pixels > kMostPixels || !std::isfinite(factor)) {
    return false;
  }
  auto step = std::make_unique<GlobalMeanStep>();
  step->kernels = &kernels::elementwise_for(builder.isa());
  step->from = builder.image(op.input);
  std::int32_t shift = shift_of(builder.type(op.output));
  step->input_zero_point = static_cast<std::int32_t>(op.from.zero_point) + shift_of(builder.type(op.input));
  step->params = {factor, static_cast<std::int32_t>(op.to.params.zero_point) + shift,
                  static_cast<std::uint8_t>(op.to.range.q_min + shift),
                  static_cast<std::uint8_t>(op.to.range.q_max + shift)};
  step->to = builder.new_plain(op.output);
  step->sums = builder.new_scratch(step->from.channels * 4);
  name_step(builder, *step, op, step->kernels->name);
  std::vector<Place> places{step->from.place, step->to, step->sums};
  builder.add(std::move(step), places);
  return true;
}

}  // namespace zeropoint::engine
