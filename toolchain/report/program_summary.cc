#include "zeropoint/toolchain/program_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "zeropoint/integer_ranges.h"
#include "zeropoint/program_file.h"

namespace zeropoint::toolchain {
namespace {

std::string type_and_shape(const TensorInfo& info) {
  std::string text(name_of(info.type));
  if (!info.shape) {
    return text;
  }
  text += '[';
  for (std::size_t i = 0; i < info.shape->size(); ++i) {
    std::int64_t extent = (*info.shape)[i];
    text += (i == 0 ? "" : ", ") + (extent == kOpenExtent ? "?" : std::to_string(extent));
  }
  return text + ']';
}

bool all_equal(const std::vector<std::int64_t>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

/// "3x3", and "/2" where it steps over positions.
std::string window_text(const ConvOp& op) {
  std::string text;
  for (std::int64_t axis = 2; axis < op.layer.weights.rank(); ++axis) {
    text += fmt::format("{}{}", axis == 2 ? "" : "x", op.layer.weights.dim(axis));
  }
  const std::vector<std::int64_t>& strides = op.window.strides;
  if (std::any_of(strides.begin(), strides.end(), [](std::int64_t s) { return s != 1; })) {
    text += all_equal(strides) ? fmt::format("/{}", strides[0]) : "/uneven";
  }
  return text;
}

std::string kind_of(const ConvOp& op) {
  bool depthwise = op.group > 1 && op.layer.weights.dim(1) == 1;
  std::string grouped = op.group == 1 ? "" : fmt::format(", {} groups", op.group);
  return fmt::format("{} {}{}", depthwise ? "Depthwise" : "Conv", window_text(op), depthwise ? "" : grouped);
}
std::string kind_of(const QuantizeOp& /*op*/) { return "Quantize"; }
std::string kind_of(const DequantizeOp& /*op*/) { return "Dequantize"; }
std::string kind_of(const FullyConnectedOp& op) {
  return fmt::format("FullyConnected {}x{}", op.layer.weights.dim(0), op.layer.weights.dim(1));
}
std::string kind_of(const MatMulOp& /*op*/) { return "MatMul"; }
std::string kind_of(const AddOp& /*op*/) { return "Add"; }
std::string kind_of(const TableOp& op) {
  return op.tables.rank() == 1 ? "Table" : fmt::format("Table, {} channels", op.tables.dim(0));
}
std::string kind_of(const ArithmeticOp& op) {
  std::string text;
  for (const ArithmeticOp::Step& step : op.steps) {
    text += fmt::format("{}{}", text.empty() ? "" : "+", name_of(step.op));
  }
  return text;
}
std::string kind_of(const ReduceOp& op) { return op.mean ? "ReduceMean" : "ReduceSum"; }
std::string kind_of(const AveragePoolOp& /*op*/) { return "AveragePool"; }
std::string kind_of(const SoftmaxOp& op) { return op.logarithm ? "LogSoftmax" : "Softmax"; }
std::string kind_of(const NormalizeOp& op) {
  switch (op.kind) {
    case NormalizeOp::Kind::kLayer:
      return "LayerNormalization";
    case NormalizeOp::Kind::kRootMeanSquare:
      return "RMSNormalization";
    case NormalizeOp::Kind::kGroup:
      break;
  }
  return "GroupNormalization";
}
std::string kind_of(const EvaluateOp& op) { return std::string(name_of(op.op)); }

const LinearLayer* layer_of(const Operation& operation) {
  if (const auto* conv = std::get_if<ConvOp>(&operation)) {
    return &conv->layer;
  }
  const auto* dense = std::get_if<FullyConnectedOp>(&operation);
  return dense == nullptr ? nullptr : &dense->layer;
}

/// The integers that a layer multiplies its weights with.
QuantizedRange input_range(const Operation& operation, const std::vector<QuantizedRange>& ranges) {
  QuantizedRange range = ranges[static_cast<std::size_t>(inputs_of(operation)[0])];
  const auto* conv = std::get_if<ConvOp>(&operation);
  return conv == nullptr ? range : range_with_padding(range, conv->input_zero_point);
}

std::int64_t farthest(QuantizedRange range) { return std::max(-range.q_min, range.q_max); }

AccumulatorBound bound_of(const LinearLayer& layer, QuantizedRange input) {
  AccumulatorBound bound{layer.accumulator, {0, 0}};
  QuantizedRange int32 = storage_range(ElementType::kInt32);
  visit_integer(layer.weights.type(), [&](auto element) {
    using Weight = decltype(element);
    if constexpr (std::is_signed_v<Weight> && sizeof(Weight) <= 4) {
      std::span<const Weight> weights = layer.weights.data<Weight>();
      std::size_t depth = weights.size() / layer.folded_bias.size();
      for (std::size_t m = 0; m < layer.folded_bias.size(); ++m) {
        QuantizedRange range =
            accumulator_bounds(weights.subspan(m * depth, depth), input, layer.folded_bias[m]);
        bound.channel =
            farthest(range) > farthest(bound.range) ? static_cast<std::int64_t>(m) : bound.channel;
        bound.channels_beyond += range.q_min < int32.q_min || range.q_max > int32.q_max ? 1 : 0;
        bound.range = {std::min(bound.range.q_min, range.q_min), std::max(bound.range.q_max, range.q_max)};
      }
    }
  });
  return bound;
}

}  // namespace

bool is_in_float(const Program& program, const Operation& operation) {
  const auto* op = std::get_if<EvaluateOp>(&operation);
  auto real = [&](TensorId id) {
    ElementType type = program.tensor(id).type;
    return !is_integer(type) && type != ElementType::kBool;
  };
  if (op == nullptr) {
    return false;
  }
  std::vector<TensorId> inputs = inputs_of(*op);
  std::vector<TensorId> outputs = outputs_of(*op);
  return std::any_of(inputs.begin(), inputs.end(), real) || std::any_of(outputs.begin(), outputs.end(), real);
}

std::vector<OperationSummary> summarize(const Program& program) {
  std::vector<QuantizedRange> ranges = integer_ranges(program);
  std::vector<OperationSummary> list;
  for (const Operation& operation : program.operations) {
    OperationSummary summary;
    const TensorInfo& output = program.tensor(outputs_of(operation)[0]);
    summary.output = output.name;
    summary.result = type_and_shape(output);
    summary.operation = std::visit([](const auto& op) { return kind_of(op); }, operation);
    summary.in_float = is_in_float(program, operation);
    if (const LinearLayer* layer = layer_of(operation)) {
      summary.weights = layer->weights.size();
      summary.weight_bits = stored_bits(layer->weights);
      summary.accumulator = bound_of(*layer, input_range(operation, ranges));
    } else {
      for (TensorId id : inputs_of(operation)) {
        if (const auto& constant = program.tensor(id).constant) {
          summary.weights += constant->size();
          summary.weight_bits = std::max(summary.weight_bits, stored_bits(*constant));
        }
      }
    }
    list.push_back(std::move(summary));
  }
  return list;
}

}  // namespace zeropoint::toolchain
