// Gather by indices that a run computes; build_move() does it for constant ones.

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/steps/gather_step.h"
#include "operators/axes.h"

namespace zeropoint::engine {

bool build_gather(Builder& builder, const EvaluateOp& op) {
  TensorId source = op.inputs[0];
  TensorId made = op.outputs[0];
  Result<operators::AlongAxis> along =
      operators::AlongAxis::of(builder.shape(source), int_attribute(op.op, op.attributes, "axis"));
  ElementType index_type = builder.type(op.inputs[1]);
  bool indexed = index_type == ElementType::kInt64 || index_type == ElementType::kInt32;
  if (!along.ok() || !indexed || builder.type(source) != builder.type(made)) {
    return false;
  }
  bool bytes = is_byte(builder.type(source)) && builder.constant(source) == nullptr;
  auto step = std::make_unique<GatherStep>();
  step->outer = along->outer;
  step->extent = along->extent;
  step->inner = along->inner * static_cast<std::int64_t>(size_of(builder.type(source)));
  step->count = *element_count(builder.shape(op.inputs[1]));
  step->index_type = index_type;
  step->from = bytes ? builder.plain(source) : builder.exact(source);
  step->indices = builder.exact(op.inputs[1]);
  step->to = bytes ? builder.new_plain(made) : builder.new_exact(made);
  step->profile.name = builder.program().tensor(made).name;
  step->profile.operation = describe(op);
  step->profile.kernel = "gather";
  std::vector<Place> places{step->from, step->indices, step->to};
  builder.add(std::move(step), places);
  return true;
}

}  // namespace zeropoint::engine
