#include "engine/run_operation.h"

#include "reference/operations.h"

namespace zeropoint::engine {
namespace {

class Runner {
 public:
  Runner(const Program& program, std::span<const Tensor* const> values, std::size_t largest_output)
      : program_(program), values_(values), largest_output_(largest_output) {}

  template <typename Op>
  Result<std::vector<Tensor>> operator()(const Op& op) const {
    return one(reference::run(op, value(op.input), type(op.output)));
  }
  Result<std::vector<Tensor>> operator()(const MatMulOp& op) const {
    return one(reference::run(op, value(op.a), value(op.b), type(op.output)));
  }
  Result<std::vector<Tensor>> operator()(const AddOp& op) const {
    return one(reference::run(op, value(op.a), value(op.b), type(op.output)));
  }
  Result<std::vector<Tensor>> operator()(const ArithmeticOp& op) const {
    std::vector<const Tensor*> inputs;
    for (const ArithmeticOp::Input& input : op.inputs) {
      inputs.push_back(&value(input.tensor));
    }
    return one(reference::run(op, inputs, type(op.output), largest_output_));
  }
  Result<std::vector<Tensor>> operator()(const EvaluateOp& op) const {
    std::vector<const Tensor*> inputs;
    for (TensorId id : op.inputs) {
      inputs.push_back(id == kNoTensor ? nullptr : &value(id));
    }
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> made, evaluate(OperatorCall(op.op, op.attributes, inputs,
                                                                        op.outputs.size(), largest_output_)));
    std::vector<Tensor> read;
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
      if (op.outputs[i] != kNoTensor) {
        read.push_back(std::move(made[i]));
      }
    }
    return read;
  }

 private:
  static Result<std::vector<Tensor>> one(Result<Tensor> result) {
    ZP_ASSIGN_OR_RETURN(Tensor tensor, std::move(result));
    std::vector<Tensor> list;
    list.push_back(std::move(tensor));
    return list;
  }
  [[nodiscard]] const Tensor& value(TensorId id) const { return *values_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] ElementType type(TensorId id) const { return program_.tensor(id).type; }

  const Program& program_;
  std::span<const Tensor* const> values_;
  std::size_t largest_output_;
};

}  // namespace

Result<std::vector<Tensor>> run_operation(const Program& program, const Operation& operation,
                                          std::span<const Tensor* const> values, std::size_t largest_output) {
  return std::visit(Runner(program, values, largest_output), operation);
}

}  // namespace zeropoint::engine
