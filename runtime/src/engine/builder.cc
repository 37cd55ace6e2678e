#include "engine/builder.h"

#include <algorithm>

#include "engine/steps/convert.h"
#include "engine/steps/reference.h"
#include "zeropoint/affine.h"
#include "zeropoint/integer_ranges.h"

namespace zeropoint::engine {

bool is_byte(ElementType type) { return is_integer(type) && size_of(type) == 1; }

std::int32_t shift_of(ElementType type) { return storage_range(type).q_min < 0 ? 128 : 0; }

Builder::Builder(const Program& program, KnownTensors known, Isa isa, LayerCache& layers, int threads,
                 std::size_t memory_limit)
    : program_(program),
      known_(std::move(known)),
      isa_(isa),
      layers_(layers),
      threads_(threads),
      memory_limit_(memory_limit),
      ranges_(integer_ranges(program)),
      readers_(program.tensors.size()),
      makers_(program.tensors.size()),
      is_output_(program.tensors.size()),
      made_(program.tensors.size()),
      values_(program.tensors.size()),
      open_(std::make_shared<OpenTensors>(program.tensors.size())) {
  for (std::size_t i = 0; i < program.operations.size(); ++i) {
    for (TensorId id : inputs_of(program.operations[i])) {
      readers_[index(id)].push_back(i);
    }
    for (TensorId id : outputs_of(program.operations[i])) {
      makers_[index(id)] = &program.operations[i];
    }
  }
  for (TensorId id : program.outputs) {
    is_output_[index(id)] = true;
  }
}

Result<Prepared> Builder::build() {
  for (std::size_t i = 0; i < program_.inputs.size(); ++i) {
    TensorId id = program_.inputs[i];
    value(id).exact = Place{add_buffer({Buffer::Home::kInput, i, nullptr, {bytes(id), 0, -1}}), 0};
    mark_made(id);
  }
  for (std::size_t id = 0; id < values_.size(); ++id) {
    if (known_.constants[id] != nullptr) {
      values_[id].exact =
          Place{add_buffer({Buffer::Home::kConstant, 0, known_.constants[id]->bytes(), {}}), 0};
      made_[id] = true;
    }
  }
  for (std::size_t i = 0; i < program_.operations.size(); ++i) {
    ZP_RETURN_IF_ERROR(build_operation(i));
  }
  give_out();
  std::vector<Lifetime> lifetimes;
  for (const Buffer& buffer : buffers_) {
    lifetimes.push_back(buffer.home == Buffer::Home::kArena ? buffer.lifetime : Lifetime{});
  }
  MemoryPlan plan = plan_memory(lifetimes);
  if (static_cast<std::size_t>(plan.peak) > memory_limit_) {
    return Status::resource_exhausted("program '", program_.name, "' needs ", plan.peak,
                                      " bytes for its activations");
  }
  Prepared prepared{std::move(steps_), std::move(buffers_), std::move(plan), std::move(known_), open_};
  return prepared;
}

Status Builder::build_operation(std::size_t i) {
  const Operation& operation = program_.operations[i];
  std::vector<TensorId> outputs = outputs_of(operation);
  auto made = [&](TensorId id) { return is_made(id); };
  if (std::ranges::all_of(outputs, made)) {
    return {};
  }
  std::vector<TensorId> inputs = inputs_of(operation);
  auto known = [&](TensorId id) { return is_static(id) && element_count(shape(id)).ok(); };
  auto empty = [&](TensorId id) { return *element_count(shape(id)) == 0; };
  bool quick = std::ranges::all_of(inputs, known) && std::ranges::all_of(outputs, known) &&
               std::ranges::none_of(inputs, empty) && std::ranges::none_of(outputs, empty);
  if (quick) {
    quick = std::visit(
        [&](const auto& op) {
          using Op = std::decay_t<decltype(op)>;
          if constexpr (std::is_same_v<Op, ConvOp>) {
            return build_conv(*this, i, op);
          } else if constexpr (std::is_same_v<Op, FullyConnectedOp>) {
            return build_fully_connected(*this, i, op) || build_wide_linear(*this, op);
          } else if constexpr (std::is_same_v<Op, QuantizeOp>) {
            return build_quantize(*this, op) || build_wide_quantize(*this, op);
          } else if constexpr (std::is_same_v<Op, DequantizeOp>) {
            return build_dequantize(*this, op) || build_wide_dequantize(*this, op);
          } else if constexpr (std::is_same_v<Op, AddOp>) {
            return build_add(*this, op);
          } else if constexpr (std::is_same_v<Op, TableOp>) {
            return build_table(*this, op) || build_wide_table(*this, op);
          } else if constexpr (std::is_same_v<Op, AveragePoolOp>) {
            return build_average_pool(*this, op);
          } else if constexpr (std::is_same_v<Op, ReduceOp>) {
            return build_reduce(*this, op);
          } else if constexpr (std::is_same_v<Op, SoftmaxOp>) {
            return build_softmax(*this, op) || build_wide_softmax(*this, op);
          } else if constexpr (std::is_same_v<Op, NormalizeOp>) {
            return build_normalize(*this, op);
          } else if constexpr (std::is_same_v<Op, MatMulOp>) {
            return build_mat_mul(*this, op) || build_wide_mat_mul(*this, op);
          } else if constexpr (std::is_same_v<Op, ArithmeticOp>) {
            return build_arithmetic(*this, op) || build_wide_arithmetic(*this, op);
          } else if constexpr (std::is_same_v<Op, EvaluateOp>) {
            return build_evaluate(*this, i, op);
          }
        },
        operation);
  }
  if (!quick) {
    add_reference(operation);
  }
  for (TensorId id : outputs) {
    mark_made(id);
  }
  return {};
}

void Builder::add_reference(const Operation& operation) {
  std::vector<Place> places;
  auto port = [&](TensorId id, Place place) {
    places.push_back(place);
    return ReferenceStep::Port{id, shape(id), place};
  };
  std::vector<ReferenceStep::Port> inputs;
  std::vector<ReferenceStep::Port> outputs;
  for (TensorId id : inputs_of(operation)) {
    inputs.push_back(is_static(id) ? port(id, exact(id)) : ReferenceStep::Port{id, std::nullopt, {}});
  }
  for (TensorId id : outputs_of(operation)) {
    outputs.push_back(is_static(id) ? port(id, new_exact(id)) : ReferenceStep::Port{id, std::nullopt, {}});
  }
  add(std::make_unique<ReferenceStep>(program_, operation, open_, std::move(inputs), std::move(outputs),
                                      memory_limit_),
      places);
}

BufferId Builder::add_buffer(Buffer buffer) {
  buffers_.push_back(buffer);
  return static_cast<BufferId>(buffers_.size()) - 1;
}

void Builder::touch(Place place) {
  Lifetime& life = buffers_[static_cast<std::size_t>(place.buffer)].lifetime;
  auto now = static_cast<std::int64_t>(steps_.size());
  if (life.last < life.first) {
    life.first = now;
  }
  life.last = now;
}

void Builder::add(std::unique_ptr<Step> step, const std::vector<Place>& places) {
  for (const Place& place : places) {
    touch(place);
  }
  steps_.push_back(std::move(step));
}

/// Brings the outputs into the caller's memory that were not made there.
void Builder::give_out() {
  for (std::size_t i = 0; i < program_.outputs.size(); ++i) {
    TensorId id = program_.outputs[i];
    if (!is_static(id)) {
      continue;
    }
    Place from = exact(id);
    const Buffer& buffer = buffers_[static_cast<std::size_t>(from.buffer)];
    if (buffer.home == Buffer::Home::kOutput && buffer.index == i) {
      continue;
    }
    Place to{add_buffer({Buffer::Home::kOutput, i, nullptr, {bytes(id), 0, -1}}), 0};
    add(std::make_unique<ShiftStep>(from, to, bytes(id), std::uint8_t{0}), {from, to});
  }
}

}  // namespace zeropoint::engine
