#include <new>

#include "reference/operations.h"
#include "zeropoint/reference.h"

namespace zeropoint {
namespace {

Shape with_batch(std::int64_t batch, const Shape& sample) {
  Shape shape{batch};
  shape.insert(shape.end(), sample.begin(), sample.end());
  return shape;
}

/// The batch of the inputs, once they are known to fit the program.
Result<std::int64_t> batch_of(const Program& program, std::span<const Tensor> inputs) {
  if (inputs.size() != program.inputs.size()) {
    return Status::invalid_argument("program '" + program.name + "' takes " +
                                    std::to_string(program.inputs.size()) + " inputs, not " +
                                    std::to_string(inputs.size()));
  }
  if (inputs.empty() || inputs[0].rank() == 0) {
    return Status::invalid_argument("program '" + program.name + "' was given no batch");
  }
  std::int64_t batch = inputs[0].dim(0);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorInfo& info = program.tensor(program.inputs[i]);
    Shape needed = with_batch(batch, info.sample_shape);
    if (inputs[i].type() != info.type || inputs[i].shape() != needed) {
      return Status::invalid_argument("input '" + info.name + "' is " +
                                      std::string(name_of(inputs[i].type())) + to_string(inputs[i].shape()) +
                                      "; the program needs " + std::string(name_of(info.type)) +
                                      to_string(needed));
    }
  }
  return batch;
}

Result<std::vector<Tensor>> run_verified(const Program& program, std::span<const Tensor> inputs,
                                         const TensorObserver& observer) {
  ZP_ASSIGN_OR_RETURN(std::int64_t batch, batch_of(program, inputs));
  std::vector<Tensor> values(program.tensors.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values[static_cast<std::size_t>(program.inputs[i])] = inputs[i];
    if (observer) {
      observer(program.inputs[i], inputs[i]);
    }
  }
  for (const Operation& operation : program.operations) {
    std::visit(
        [&](const auto& op) {
          const TensorInfo& info = program.tensor(op.output);
          Tensor output(info.type, with_batch(batch, info.sample_shape));
          reference::run(op, values[static_cast<std::size_t>(op.input)], output);
          if (observer) {
            observer(op.output, output);
          }
          values[static_cast<std::size_t>(op.output)] = std::move(output);
        },
        operation);
  }
  std::vector<Tensor> outputs;
  for (TensorId id : program.outputs) {
    outputs.push_back(values[static_cast<std::size_t>(id)]);
  }
  return outputs;
}

}  // namespace

Result<std::vector<Tensor>> run_reference(const Program& program, std::span<const Tensor> inputs,
                                          const TensorObserver& observer) {
  ZP_RETURN_IF_ERROR(verify(program));
  try {
    return run_verified(program, inputs, observer);
  } catch (const std::bad_alloc&) {
    return Status::resource_exhausted("program '" + program.name +
                                      "' needs more memory than there is; use a smaller batch");
  }
}

}  // namespace zeropoint
