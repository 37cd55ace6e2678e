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

}  // namespace

std::string describe(const QuantizeOp& /*op*/) { return "Quantize"; }
std::string describe(const DequantizeOp& /*op*/) { return "Dequantize"; }
std::string describe(const ConvOp& op) {
  const Shape& w = op.layer.weights.shape();
  auto is_more = [](std::int64_t step) { return step != 1; };
  bool transposed = std::ranges::any_of(op.window.holes, is_more);
  const std::vector<std::int64_t>& steps = transposed ? op.window.holes : op.window.strides;
  std::string text = (transposed ? "ConvTranspose " : "Conv ") + joined({w.begin() + 2, w.end()});
  if (std::ranges::any_of(steps, is_more)) {
    bool square = std::ranges::all_of(steps, [&](std::int64_t step) { return step == steps[0]; });
    text += "/" + (square ? std::to_string(steps[0]) : joined(steps));
  }
  if (op.group > 1) {
    text += w[1] == 1 && op.group == w[0] ? ", depthwise" : ", " + std::to_string(op.group) + " groups";
  }
  return text;
}
std::string describe(const FullyConnectedOp& op) {
  return "Linear " + std::to_string(op.layer.weights.dim(1)) + " to " +
         std::to_string(op.layer.weights.dim(0));
}
std::string describe(const MatMulOp& /*op*/) { return "MatMul"; }
std::string describe(const AddOp& /*op*/) { return "Add"; }
std::string describe(const TableOp& /*op*/) { return "Table"; }
std::string describe(const ArithmeticOp& op) {
  std::string text = "Arithmetic";
  for (const ArithmeticOp::Step& step : op.steps) {
    text += " " + std::string(name_of(step.op));
  }
  return text;
}
std::string describe(const ReduceOp& op) { return op.mean ? "Mean" : "Sum"; }
std::string describe(const AveragePoolOp& op) {
  return "AveragePool " + joined(ints_attribute(op.attributes, "kernel_shape"));
}
std::string describe(const SoftmaxOp& op) { return op.logarithm ? "LogSoftmax" : "Softmax"; }
std::string describe(const NormalizeOp& op) {
  return op.kind == NormalizeOp::Kind::kLayer   ? "LayerNormalization"
         : op.kind == NormalizeOp::Kind::kGroup ? "GroupNormalization"
                                                : "RMSNormalization";
}
std::string describe(const EvaluateOp& op) { return std::string(name_of(op.op)); }

std::string describe(const Operation& operation) {
  return std::visit([](const auto& op) { return describe(op); }, operation);
}

}  // namespace zeropoint::engine
