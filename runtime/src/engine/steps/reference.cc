#include "engine/steps/reference.h"

#include <algorithm>
#include <cstring>

#include "declared_shape.h"
#include "engine/describe.h"
#include "engine/run_operation.h"

namespace zeropoint::engine {

ReferenceStep::ReferenceStep(const Program& program, const Operation& operation,
                             std::shared_ptr<OpenTensors> open, std::vector<Port> inputs,
                             std::vector<Port> outputs, std::size_t largest_output)
    : program_(program),
      operation_(operation),
      open_(std::move(open)),
      inputs_(std::move(inputs)),
      outputs_(std::move(outputs)),
      largest_output_(largest_output) {
  profile.name = program.tensor(outputs_of(operation)[0]).name;
  profile.operation = describe(operation);
  profile.kernel = "reference";
  auto real = [&](const Port& port) {
    ElementType type = program.tensor(port.id).type;
    return !is_integer(type) && type != ElementType::kBool;
  };
  bool borders =
      std::holds_alternative<QuantizeOp>(operation) || std::holds_alternative<DequantizeOp>(operation);
  profile.in_float = !borders && (std::ranges::any_of(inputs_, real) || std::ranges::any_of(outputs_, real));
}

Status ReferenceStep::run(const RunContext& context) {
  std::vector<Tensor> borrowed;
  borrowed.reserve(inputs_.size());
  std::vector<const Tensor*> values(program_.tensors.size(), nullptr);
  for (const Port& port : inputs_) {
    auto at = static_cast<std::size_t>(port.id);
    if (port.shape) {
      borrowed.push_back(Tensor::borrow(program_.tensor(port.id).type, *port.shape, context.at(port.place)));
      values[at] = &borrowed.back();
    } else {
      values[at] = &*(*open_)[at];
    }
  }
  auto where = [&](const Status& status) {
    return status.at("program '", program_.name, "', operation that makes '", profile.name, "'");
  };
  Result<std::vector<Tensor>> made = run_operation(program_, operation_, values, largest_output_);
  if (!made.ok()) {
    return where(made.status());
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const Port& port = outputs_[i];
    const TensorInfo& info = program_.tensor(port.id);
    Tensor& tensor = (*made)[i];
    bool fitting = port.shape ? tensor.shape() == *port.shape : fits(tensor.shape(), info.shape);
    if (tensor.type() != info.type || !fitting) {
      return where(Status::invalid_argument("it gives ", name_of(tensor.type()), tensor.shape(),
                                            ", which was not declared"));
    }
    if (port.shape) {
      std::memcpy(context.at(port.place), tensor.bytes(), tensor.byte_size());
    } else {
      (*open_)[static_cast<std::size_t>(port.id)] = std::move(tensor);
    }
  }
  return {};
}

}  // namespace zeropoint::engine
