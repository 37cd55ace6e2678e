#include "compile/program_builder.h"

#include <algorithm>

#include "zeropoint/integer_ranges.h"

namespace zeropoint::toolchain {
namespace {

std::optional<Shape> open_shape(const std::optional<Dims>& dims) {
  return dims ? std::optional<Shape>(shape_of(*dims, kOpenExtent)) : std::nullopt;
}

/// Applies function(id) to each tensor id of an operation, absent ones aside.
template <typename Function>
struct ForEachId {
  Function function;

  template <typename Op>
  void operator()(Op& op) {
    function(op.input);
    function(op.output);
  }
  void operator()(MatMulOp& op) { of_two(op); }
  void operator()(AddOp& op) { of_two(op); }
  void operator()(ArithmeticOp& op) {
    for (ArithmeticOp::Input& input : op.inputs) {
      function(input.tensor);
    }
    function(op.output);
  }
  void operator()(EvaluateOp& op) {
    for (std::vector<TensorId>* ids : {&op.inputs, &op.outputs}) {
      for (TensorId& id : *ids) {
        if (id != kNoTensor) {
          function(id);
        }
      }
    }
  }

  template <typename Op>
  void of_two(Op& op) {
    function(op.a);
    function(op.b);
    function(op.output);
  }
};

/// The layer of a convolution or fully connected operation with the range of its inputs.
void choose_accumulator(LinearLayer& layer, QuantizedRange input, TensorInfo& output) {
  QuantizedRange held = storage_range(ElementType::kInt32);
  QuantizedRange sums = accumulator_range(layer, input);
  bool narrow = sums.q_min >= held.q_min && sums.q_max <= held.q_max;
  layer.accumulator = narrow ? ElementType::kInt32 : ElementType::kInt64;
  if (!layer.requantization) {
    output.type = layer.accumulator;
  }
}

}  // namespace

TensorId ProgramBuilder::add_tensor(std::string name, ElementType type, const std::optional<Dims>& dims) {
  program_.tensors.push_back({std::move(name), type, open_shape(dims)});
  return static_cast<TensorId>(program_.tensors.size() - 1);
}

TensorId ProgramBuilder::add_constant(std::string name, std::shared_ptr<const Tensor> tensor) {
  ElementType type = tensor->type();
  Shape shape = tensor->shape();
  program_.tensors.push_back({std::move(name), type, std::move(shape), std::move(tensor)});
  return static_cast<TensorId>(program_.tensors.size() - 1);
}

TensorId ProgramBuilder::add_unnamed(const Value& value, ElementType type) {
  TensorId id = add_tensor(value.name + "_integers", type, value.dims);
  unnamed_.insert(id);
  return id;
}

void ProgramBuilder::name_tensor(TensorId id, const std::string& name) {
  if (unnamed_.erase(id) > 0) {
    program_.tensors[static_cast<std::size_t>(id)].name = name;
  }
}

void ProgramBuilder::add(Operation operation, std::int32_t node) {
  program_.operations.push_back(std::move(operation));
  nodes_.push_back(node);
}

ProgramBuilder::Finished ProgramBuilder::finish(std::vector<TensorId> inputs,
                                                std::vector<TensorId> outputs) && {
  program_.inputs = std::move(inputs);
  program_.outputs = std::move(outputs);
  drop_unneeded();
  drop_tensors();
  choose_accumulators();
  return {std::move(program_), std::move(nodes_)};
}

void ProgramBuilder::drop_unneeded() {
  std::vector<bool> needed(program_.tensors.size());
  for (TensorId id : program_.outputs) {
    needed[static_cast<std::size_t>(id)] = true;
  }
  std::vector<Operation> operations;
  std::vector<std::int32_t> nodes;
  for (std::size_t i = program_.operations.size(); i-- > 0;) {
    std::vector<TensorId> made = outputs_of(program_.operations[i]);
    if (std::any_of(made.begin(), made.end(),
                    [&](TensorId id) { return needed[static_cast<std::size_t>(id)]; })) {
      for (TensorId id : inputs_of(program_.operations[i])) {
        needed[static_cast<std::size_t>(id)] = true;
      }
      operations.push_back(std::move(program_.operations[i]));
      nodes.push_back(nodes_[i]);
    }
  }
  std::reverse(operations.begin(), operations.end());
  std::reverse(nodes.begin(), nodes.end());
  program_.operations = std::move(operations);
  nodes_ = std::move(nodes);
}

/// Tensors that no operation has and no caller sees leave; the others keep their order.
void ProgramBuilder::drop_tensors() {
  std::vector<TensorId> new_id(program_.tensors.size(), kNoTensor);
  auto keep = [&](TensorId& id) { new_id[static_cast<std::size_t>(id)] = 0; };
  auto renumber = [&](TensorId& id) { id = new_id[static_cast<std::size_t>(id)]; };
  auto for_each = [&](auto function) {
    std::for_each(program_.inputs.begin(), program_.inputs.end(), function);
    std::for_each(program_.outputs.begin(), program_.outputs.end(), function);
    for (Operation& operation : program_.operations) {
      std::visit(ForEachId<decltype(function)>{function}, operation);
    }
  };
  for_each(keep);
  std::vector<TensorInfo> tensors;
  for (std::size_t i = 0; i < new_id.size(); ++i) {
    if (new_id[i] != kNoTensor) {
      new_id[i] = static_cast<TensorId>(tensors.size());
      tensors.push_back(std::move(program_.tensors[i]));
    }
  }
  program_.tensors = std::move(tensors);
  for_each(renumber);
}

void ProgramBuilder::choose_accumulators() {
  std::vector<QuantizedRange> ranges = integer_ranges(program_);
  for (Operation& operation : program_.operations) {
    auto in = [&](TensorId id) { return ranges[static_cast<std::size_t>(id)]; };
    auto out = [&](TensorId id) -> TensorInfo& { return program_.tensors[static_cast<std::size_t>(id)]; };
    if (auto* conv = std::get_if<ConvOp>(&operation)) {
      QuantizedRange range = range_with_padding(in(conv->input), conv->input_zero_point);
      choose_accumulator(conv->layer, range, out(conv->output));
    } else if (auto* full = std::get_if<FullyConnectedOp>(&operation)) {
      choose_accumulator(full->layer, in(full->input), out(full->output));
    }
  }
}

}  // namespace zeropoint::toolchain
