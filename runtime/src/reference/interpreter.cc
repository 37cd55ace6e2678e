#include <new>
#include <stdexcept>

#include "declared_shape.h"
#include "narrow_elements.h"
#include "reference/operations.h"
#include "zeropoint/reference.h"

namespace zeropoint {
namespace {

std::string type_and_shape(ElementType type, const std::optional<Shape>& shape) {
  std::string text(name_of(type));
  if (!shape) {
    return text;
  }
  text += '[';
  for (std::size_t i = 0; i < shape->size(); ++i) {
    text += (i == 0 ? "" : ", ") + ((*shape)[i] == kOpenExtent ? "?" : std::to_string((*shape)[i]));
  }
  return text + ']';
}

class Run {
 public:
  Run(const Program& program, const TensorObserver& observer)
      : program_(program),
        observer_(observer),
        values_(program.tensors.size()),
        last_read_(program.tensors.size(), kNever) {
    for (std::size_t i = 0; i < program.operations.size(); ++i) {
      for (TensorId id : inputs_of(program.operations[i])) {
        last_read_[index(id)] = i;
      }
    }
    for (TensorId id : program.outputs) {
      last_read_[index(id)] = kNever;
    }
  }

  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs) {
    ZP_RETURN_IF_ERROR(take(inputs));
    for (std::size_t i = 0; i < program_.operations.size(); ++i) {
      const Operation& operation = program_.operations[i];
      std::vector<TensorId> outputs = outputs_of(operation);
      ZP_RETURN_IF_ERROR(std::visit(*this, operation)
                             .at("program '", program_.name, "', operation that makes '",
                                 program_.tensor(outputs[0]).name, "'"));
      for (TensorId id : inputs_of(operation)) {
        if (last_read_[index(id)] == i) {
          values_[index(id)] = Tensor();
        }
      }
    }
    std::vector<Tensor> results;
    for (TensorId id : program_.outputs) {
      results.push_back(value(id));
    }
    return results;
  }

  template <typename Op>
  Status operator()(const Op& op) {
    ZP_ASSIGN_OR_RETURN(Tensor output, reference::run(op, value(op.input), program_.tensor(op.output).type));
    return put(op.output, std::move(output));
  }

  Status operator()(const MatMulOp& op) { return run_on_two(op); }
  Status operator()(const AddOp& op) { return run_on_two(op); }

  Status operator()(const ArithmeticOp& op) {
    std::vector<const Tensor*> inputs;
    for (const ArithmeticOp::Input& input : op.inputs) {
      inputs.push_back(&value(input.tensor));
    }
    ZP_ASSIGN_OR_RETURN(Tensor output, reference::run(op, inputs, program_.tensor(op.output).type));
    return put(op.output, std::move(output));
  }

  Status operator()(const EvaluateOp& op) {
    std::vector<const Tensor*> inputs;
    for (TensorId id : op.inputs) {
      inputs.push_back(id == kNoTensor ? nullptr : &value(id));
    }
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs,
                        evaluate(OperatorCall(op.op, op.attributes, inputs, op.outputs.size())));
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
      if (op.outputs[i] != kNoTensor) {
        ZP_RETURN_IF_ERROR(put(op.outputs[i], std::move(outputs[i])));
      }
    }
    return {};
  }

 private:
  template <typename Op>
  Status run_on_two(const Op& op) {
    ZP_ASSIGN_OR_RETURN(Tensor output,
                        reference::run(op, value(op.a), value(op.b), program_.tensor(op.output).type));
    return put(op.output, std::move(output));
  }

  static constexpr std::size_t kNever = static_cast<std::size_t>(-1);
  static std::size_t index(TensorId id) { return static_cast<std::size_t>(id); }

  [[nodiscard]] const Tensor& value(TensorId id) const {
    const TensorInfo& info = program_.tensor(id);
    return info.constant != nullptr ? *info.constant : values_[index(id)];
  }

  Status take(std::span<const Tensor> inputs) {
    if (inputs.size() != program_.inputs.size()) {
      return Status::invalid_argument("program '", program_.name, "' takes ", program_.inputs.size(),
                                      " inputs, not ", inputs.size());
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const TensorInfo& info = program_.tensor(program_.inputs[i]);
      if (inputs[i].type() != info.type || !fits(inputs[i].shape(), info.shape)) {
        return Status::invalid_argument("input '", info.name, "' is ",
                                        type_and_shape(inputs[i].type(), inputs[i].shape()),
                                        "; the program needs ", type_and_shape(info.type, info.shape));
      }
      if (!are_elements(info.type, {inputs[i].bytes(), inputs[i].byte_size()})) {
        return not_elements(info.type, info.name);
      }
      ZP_RETURN_IF_ERROR(put(program_.inputs[i], inputs[i]));
    }
    return {};
  }

  Status put(TensorId id, Tensor tensor) {
    const TensorInfo& info = program_.tensor(id);
    if (tensor.type() != info.type || !fits(tensor.shape(), info.shape)) {
      return Status::invalid_argument("it gives ", type_and_shape(tensor.type(), tensor.shape()), " where ",
                                      type_and_shape(info.type, info.shape), " was declared");
    }
    if (observer_) {
      observer_(id, tensor);
    }
    values_[index(id)] = std::move(tensor);
    return {};
  }

  const Program& program_;
  const TensorObserver& observer_;
  std::vector<Tensor> values_;
  std::vector<std::size_t> last_read_;  // the operation after which a tensor may go
};

}  // namespace

Result<std::vector<Tensor>> run_reference(const Program& program, std::span<const Tensor> inputs,
                                          const TensorObserver& observer) {
  ZP_RETURN_IF_ERROR(verify(program));
  auto short_of_memory = [&] {
    return Status::resource_exhausted("program '", program.name,
                                      "' needs more memory than there is; use a smaller batch");
  };
  try {
    return Run(program, observer).run(inputs);
  } catch (const std::bad_alloc&) {
    return short_of_memory();
  } catch (const std::length_error&) {
    return short_of_memory();
  }
}

}  // namespace zeropoint
