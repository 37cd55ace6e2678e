#include "zeropoint/integer_ranges.h"

#include <algorithm>
#include <optional>
#include <span>

#include "signed_sums.h"

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
  explicit Ranges(const Program& program) : program_(program), constants_(program.tensors.size()) {
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

  /// Looked for once, however many read it.
  QuantizedRange of_constant(TensorId id) {
    std::optional<QuantizedRange>& range = constants_[static_cast<std::size_t>(id)];
    if (!range) {
      range = range_of_elements(*program_.tensor(id).constant);
    }
    return *range;
  }

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
    bool dilated = std::ranges::any_of(dilations, [](std::int64_t d) { return d > 1; });
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
        QuantizedRange source = info.constant != nullptr ? of_constant(input) : of(input);
        range = range ? hull(*range, source) : source;
      }
    }
    return range.value_or(any);
  }

  const Program& program_;
  std::vector<QuantizedRange> ranges_;
  std::vector<std::optional<QuantizedRange>> constants_;
};

/// The sum of the negative weights and that of the positive ones.
template <typename Weight>
std::pair<std::int64_t, std::int64_t> sums_by_sign(std::span<const Weight> weights) {
  std::pair<std::int64_t, std::int64_t> sums{0, 0};
  if constexpr (sizeof(Weight) == 1) {
    SignedSums found = signed_sums(weights);
    sums = {found.negative, found.positive};
  } else {
    for (Weight weight : weights) {
      (weight < 0 ? sums.first : sums.second) += static_cast<std::int64_t>(weight);
    }
  }
  return sums;
}

bool has_sums(ElementType weights) {
  return weights == ElementType::kInt8 || weights == ElementType::kInt16 || weights == ElementType::kInt32;
}

constexpr std::int64_t kMost = std::int64_t{1} << 62;

/// a * b, not beyond +-2^62.
std::int64_t limited_product(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) {
    return (a < 0) == (b < 0) ? kMost : -kMost;
  }
  return std::clamp(product, -kMost, kMost);
}

}  // namespace

std::vector<QuantizedRange> integer_ranges(const Program& program) { return Ranges(program).run(); }

QuantizedRange accumulator_range(const LinearLayer& layer, QuantizedRange input) {
  return AccumulatorRanges().of(layer, input);
}

QuantizedRange accumulator_range_of_any_weights(const LinearLayer& layer, QuantizedRange input) {
  std::int64_t channels = std::ssize(layer.folded_bias);
  if (!has_sums(layer.weights.type()) || channels == 0) {
    return {0, 0};
  }
  std::int64_t weight = -storage_range(layer.weights.type()).q_min;
  std::int64_t most_input = std::max({std::int64_t{0}, -std::max(input.q_min, -kMost), input.q_max});
  std::int64_t products =
      limited_product(limited_product(weight, layer.weights.size() / channels), most_input);
  QuantizedRange all{0, 0};
  for (std::int64_t bias : layer.folded_bias) {
    all = hull(all, {bias, bias});
  }
  return {std::max(all.q_min, products - kMost) - products, std::min(all.q_max, kMost - products) + products};
}

QuantizedRange AccumulatorRanges::of(const LinearLayer& layer, QuantizedRange input) {
  ElementType type = layer.weights.type();
  std::size_t channels = layer.folded_bias.size();
  if (!has_sums(type) || channels == 0) {
    return {0, 0};
  }
  std::vector<Sums>& sums = sums_[{layer.weights.bytes(), type, layer.weights.size(), channels}];
  if (sums.empty()) {
    sums.resize(channels);
    std::size_t depth = static_cast<std::size_t>(layer.weights.size()) / channels;
    auto add_up = [&](auto weights) {
      for (std::size_t m = 0; m < channels; ++m) {
        sums[m] = sums_by_sign(weights.subspan(m * depth, depth));
      }
    };
    if (type == ElementType::kInt8) {
      add_up(layer.weights.data<std::int8_t>());
    } else if (type == ElementType::kInt16) {
      add_up(layer.weights.data<std::int16_t>());
    } else {
      add_up(layer.weights.data<std::int32_t>());
    }
  }
  // As accumulator_bounds(): partial sums lie between those of all negative and of all positive extremes.
  std::int64_t low = std::min<std::int64_t>(input.q_min, 0);
  std::int64_t high = std::max<std::int64_t>(input.q_max, 0);
  QuantizedRange all{0, 0};
  for (std::size_t m = 0; m < channels; ++m) {
    auto [negative, positive] = sums[m];
    auto lower = [](std::int64_t a, std::int64_t b) { return std::max(a, -kMost - b) + b; };
    auto higher = [](std::int64_t a, std::int64_t b) { return std::min(a, kMost - b) + b; };
    std::int64_t bias = std::clamp(layer.folded_bias[m], -kMost, kMost);
    all = hull(all, {lower(lower(std::min<std::int64_t>(bias, 0), limited_product(negative, high)),
                           limited_product(positive, low)),
                     higher(higher(std::max<std::int64_t>(bias, 0), limited_product(negative, low)),
                            limited_product(positive, high))});
  }
  return all;
}

QuantizedRange range_with_padding(QuantizedRange input, std::int64_t zero_point) {
  return hull(input, {zero_point, zero_point});
}

}  // namespace zeropoint
