#include "engine/describe.h"

#include <algorithm>

namespace zeropoint::engine {
namespace {

std::string joined(const std::vector<std::int64_t>& extents) {
  std::string text;
  for (std::int64_t extent : extents) {
    text += (text.empty() ? "" : "x") + std::to_string(extent);
  }
  return text;
}

struct Describe {
  std::string operator()(const QuantizeOp& /*op*/) const { return "Quantize"; }
  std::string operator()(const DequantizeOp& /*op*/) const { return "Dequantize"; }
  std::string operator()(const ConvOp& op) const {
    const Shape& w = op.layer.weights.shape();
    std::string text = "Conv " + joined({w.begin() + 2, w.end()});
    bool strided = std::any_of(op.window.strides.begin(), op.window.strides.end(),
                               [](std::int64_t stride) { return stride != 1; });
    if (strided) {
      bool square = std::all_of(op.window.strides.begin(), op.window.strides.end(),
                                [&](std::int64_t stride) { return stride == op.window.strides[0]; });
      text += "/" + (square ? std::to_string(op.window.strides[0]) : joined(op.window.strides));
    }
    if (op.group > 1) {
      text += w[1] == 1 && op.group == w[0] ? ", depthwise" : ", " + std::to_string(op.group) + " groups";
    }
    return text;
  }
  std::string operator()(const FullyConnectedOp& op) const {
    return "Linear " + std::to_string(op.layer.weights.dim(1)) + " to " +
           std::to_string(op.layer.weights.dim(0));
  }
  std::string operator()(const MatMulOp& /*op*/) const { return "MatMul"; }
  std::string operator()(const AddOp& /*op*/) const { return "Add"; }
  std::string operator()(const TableOp& /*op*/) const { return "Table"; }
  std::string operator()(const ArithmeticOp& op) const {
    std::string text = "Arithmetic";
    for (const ArithmeticOp::Step& step : op.steps) {
      text += " " + std::string(name_of(step.op));
    }
    return text;
  }
  std::string operator()(const ReduceOp& op) const { return op.mean ? "Mean" : "Sum"; }
  std::string operator()(const AveragePoolOp& op) const {
    return "AveragePool " + joined(ints_attribute(op.attributes, "kernel_shape"));
  }
  std::string operator()(const SoftmaxOp& op) const { return op.logarithm ? "LogSoftmax" : "Softmax"; }
  std::string operator()(const NormalizeOp& op) const {
    return op.kind == NormalizeOp::Kind::kLayer   ? "LayerNormalization"
           : op.kind == NormalizeOp::Kind::kGroup ? "GroupNormalization"
                                                  : "RMSNormalization";
  }
  std::string operator()(const EvaluateOp& op) const { return std::string(name_of(op.op)); }
};

}  // namespace

std::string describe(const Operation& operation) { return std::visit(Describe{}, operation); }

}  // namespace zeropoint::engine
