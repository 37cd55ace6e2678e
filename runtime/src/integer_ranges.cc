#include "zeropoint/integer_ranges.h"

#include <algorithm>
#include <span>

namespace zeropoint {
namespace {

QuantizedRange hull(QuantizedRange a, QuantizedRange b) {
  return {std::min(a.q_min, b.q_min), std::max(a.q_max, b.q_max)};
}

QuantizedRange range_of_elements(const Tensor& tensor) {
  QuantizedRange range = storage_range(tensor.type());
  visit_integer(tensor.type(), [&](auto element) {
    auto values = tensor.data<decltype(element)>();
    if (!values.empty()) {
      auto [least, most] = std::minmax_element(values.begin(), values.end());
      range = {static_cast<std::int64_t>(*least), static_cast<std::int64_t>(*most)};
    }
  });
  return range;
}

class Ranges {
 public:
  explicit Ranges(const Program& program) : program_(program) {
    for (const TensorInfo& info : program.tensors) {
      ranges_.push_back(storage_range(info.type));
    }
  }

  std::vector<QuantizedRange> run() {
    for (const Operation& operation : program_.operations) {
      std::visit(*this, operation);
    }
    return std::move(ranges_);
  }

  template <typename Op>
  void operator()(const Op& op) {
    of(op.output) = op.to.range;
  }
  void operator()(const DequantizeOp& /*op*/) {}
  void operator()(const ConvOp& op) { layer(op.layer, op.output); }
  void operator()(const FullyConnectedOp& op) { layer(op.layer, op.output); }
  void operator()(const MatMulOp& op) { of(op.output) = op.requantization.clamp; }
  void operator()(const TableOp& op) { of(op.output) = range_of_elements(op.tables); }
  void operator()(const EvaluateOp& op) {
    bool known = static_cast<std::size_t>(op.op) < all_operators().size();
    for (TensorId output : outputs_of(op)) {
      if (known && info_of(op.op).integer_form == IntegerForm::kMoves && !can_give_more(op)) {
        of(output) = moved(op, program_.tensor(output).type, of(output));
      }
    }
  }

 private:
  QuantizedRange& of(TensorId id) { return ranges_[static_cast<std::size_t>(id)]; }

  void layer(const LinearLayer& layer, TensorId output) {
    if (layer.requantization) {
      of(output) = layer.requantization->clamp;
    }
  }

  /// A window of a MaxPool that sees nothing but padding gives the least number there is.
  static bool can_give_more(const EvaluateOp& op) {
    if (op.op != Op::kMaxPool) {
      return false;
    }
    std::vector<std::int64_t> kernel = ints_attribute(op.attributes, "kernel_shape");
    std::vector<std::int64_t> dilations = ints_attribute(op.attributes, "dilations");
    std::vector<std::int64_t> pads = ints_attribute(op.attributes, "pads");
    bool dilated = std::any_of(dilations.begin(), dilations.end(), [](std::int64_t d) { return d > 1; });
    bool padded = int_attribute(op.op, op.attributes, "ceil_mode") != 0;
    for (std::size_t i = 0; i < pads.size(); ++i) {
      padded |= kernel.empty() || pads[i] >= kernel[i % kernel.size()];
    }
    return dilated || padded;
  }

  /// What is moved comes from inputs of the output's type.
  QuantizedRange moved(const EvaluateOp& op, ElementType type, QuantizedRange any) {
    std::optional<QuantizedRange> range;
    for (TensorId input : inputs_of(op)) {
      const TensorInfo& info = program_.tensor(input);
      if (info.type == type) {
        QuantizedRange source = info.constant != nullptr ? range_of_elements(*info.constant) : of(input);
        range = range ? hull(*range, source) : source;
      }
    }
    return range.value_or(any);
  }

  const Program& program_;
  std::vector<QuantizedRange> ranges_;
};

template <typename Weight>
QuantizedRange bounds_of(const LinearLayer& layer, QuantizedRange input) {
  std::span<const Weight> weights = layer.weights.data<Weight>();
  std::size_t depth = layer.folded_bias.empty() ? 0 : weights.size() / layer.folded_bias.size();
  QuantizedRange all{0, 0};
  for (std::size_t m = 0; m < layer.folded_bias.size(); ++m) {
    all = hull(all, accumulator_bounds(weights.subspan(m * depth, depth), input, layer.folded_bias[m]));
  }
  return all;
}

}  // namespace

std::vector<QuantizedRange> integer_ranges(const Program& program) { return Ranges(program).run(); }

QuantizedRange accumulator_range(const LinearLayer& layer, QuantizedRange input) {
  switch (layer.weights.type()) {
    case ElementType::kInt8:
      return bounds_of<std::int8_t>(layer, input);
    case ElementType::kInt16:
      return bounds_of<std::int16_t>(layer, input);
    case ElementType::kInt32:
      return bounds_of<std::int32_t>(layer, input);
    default:
      return {0, 0};
  }
}

QuantizedRange range_with_padding(QuantizedRange input, std::int64_t zero_point) {
  return hull(input, {zero_point, zero_point});
}

}  // namespace zeropoint
