#include "zeropoint/operations.h"

#include <algorithm>

namespace zeropoint {
namespace {

struct Inputs {
  template <typename Op>
  std::vector<TensorId> operator()(const Op& op) const {
    return {op.input};
  }
  std::vector<TensorId> operator()(const MatMulOp& op) const { return {op.a, op.b}; }
  std::vector<TensorId> operator()(const AddOp& op) const { return {op.a, op.b}; }
  std::vector<TensorId> operator()(const ArithmeticOp& op) const {
    std::vector<TensorId> ids;
    for (const ArithmeticOp::Input& input : op.inputs) {
      ids.push_back(input.tensor);
    }
    return ids;
  }
  std::vector<TensorId> operator()(const EvaluateOp& op) const { return present(op.inputs); }

  static std::vector<TensorId> present(std::vector<TensorId> ids) {
    std::erase(ids, kNoTensor);
    return ids;
  }
};

struct Outputs {
  template <typename Op>
  std::vector<TensorId> operator()(const Op& op) const {
    return {op.output};
  }
  std::vector<TensorId> operator()(const EvaluateOp& op) const { return Inputs::present(op.outputs); }
};

}  // namespace

std::vector<TensorId> inputs_of(const Operation& operation) { return std::visit(Inputs{}, operation); }

std::vector<TensorId> outputs_of(const Operation& operation) { return std::visit(Outputs{}, operation); }

}  // namespace zeropoint
