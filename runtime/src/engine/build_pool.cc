// Pools over images.

#include <cmath>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/steps/image_steps.h"

namespace zeropoint::engine {
namespace {

/// The window of a pool over bytes [N, C, H, W]; none for others.
std::optional<WindowGeometry> window_of(Builder& builder, TensorId input, TensorId output, Op op,
                                        const Attributes& attributes) {
  if (!is_byte(builder.type(input)) || !is_byte(builder.type(output)) || builder.shape(input).size() != 4) {
    return std::nullopt;
  }
  Result<WindowGeometry> window = window_geometry(op, attributes, builder.shape(input), {});
  return window.ok() ? std::optional(*std::move(window)) : std::nullopt;
}

template <typename StepType>
void finish(Builder& builder, const Operation& operation, std::unique_ptr<StepType> step, Place scratch) {
  step->profile.name = builder.program().tensor(outputs_of(operation)[0]).name;
  step->profile.operation = describe(operation);
  step->profile.kernel = step->kernels->name;
  std::vector<Place> places{step->from.place, step->to.place, scratch};
  builder.add(std::move(step), places);
}

}  // namespace

bool build_average_pool(Builder& builder, const AveragePoolOp& op) {
  std::optional<WindowGeometry> window =
      window_of(builder, op.input, op.output, Op::kAveragePool, op.attributes);
  constexpr std::int64_t kMostTaps = std::int64_t{1} << 22;  // whose sum fits int32
  bool tame = window && window->kernel[0] <= kMostTaps / window->kernel[1] &&
              std::isfinite(op.from.scale / op.to.params.scale);
  if (!tame) {
    return false;
  }
  auto step = std::make_unique<AveragePoolStep>();
  step->kernels = &kernels::elementwise_for(builder.isa());
  step->window = *std::move(window);
  step->from = builder.image(op.input);
  step->to = builder.new_image(op.output);
  step->counts_padding = int_attribute(Op::kAveragePool, op.attributes, "count_include_pad") != 0;
  step->input_zero_point = static_cast<std::int32_t>(op.from.zero_point) + shift_of(builder.type(op.input));
  step->input_scale = op.from.scale;
  step->output_scale = op.to.params.scale;
  std::int32_t shift = shift_of(builder.type(op.output));
  step->params = {1, static_cast<std::int32_t>(op.to.params.zero_point) + shift,
                  static_cast<std::uint8_t>(op.to.range.q_min + shift),
                  static_cast<std::uint8_t>(op.to.range.q_max + shift)};
  Place sums = step->sums = builder.new_scratch(step->to.channels * 4);
  finish(builder, op, std::move(step), sums);
  return true;
}

bool build_max_pool(Builder& builder, const EvaluateOp& op) {
  if (op.outputs.size() != 1 || builder.type(op.inputs[0]) != builder.type(op.outputs[0])) {
    return false;
  }
  std::optional<WindowGeometry> window =
      window_of(builder, op.inputs[0], op.outputs[0], op.op, op.attributes);
  if (!window) {
    return false;
  }
  auto step = std::make_unique<MaxPoolStep>();
  step->kernels = &kernels::elementwise_for(builder.isa());
  step->window = *std::move(window);
  step->from = builder.image(op.inputs[0]);
  step->to = builder.new_image(op.outputs[0]);
  step->prepare();
  Place row = step->row = builder.new_scratch(builder.parts_of(step->to.batch * step->to.height) *
                                              step->from.width * step->from.pixel);
  finish(builder, op, std::move(step), row);
  return true;
}

}  // namespace zeropoint::engine
