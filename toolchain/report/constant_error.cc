#include "report/constant_error.h"

#include <algorithm>
#include <cmath>

#include "quantize/node_role.h"
#include "report/point_sums.h"

namespace zeropoint::toolchain {
namespace {

double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// What one output channel of a constant comes to.
struct Channel {
  double signal = 0;
  double noise = 0;
  double dot = 0;                 ///< of the constant and what its integers stand for
  double largest = 0;             ///< max |w|
  std::int64_t largest_step = 0;  ///< max |q - zero point|
  float scale = 0;                ///< the largest
};

/// The largest step of the weights' type: 7 for 4 bits, whatever stores them. Calibrated scales make some
/// channel reach it.
double last_step(const std::vector<Channel>& channels, ElementType storage) {
  std::vector<double> steps;
  for (const Channel& channel : channels) {
    steps.push_back(static_cast<double>(channel.largest_step));
  }
  double middle = median(steps);
  bool is_type = middle >= 1 && std::exp2(std::round(std::log2(middle + 1))) == middle + 1;
  return is_type ? middle : static_cast<double>(storage_range(storage).q_max);
}

void summarize(const std::vector<Channel>& channels, ElementType storage, ConstantMeasurement& result) {
  double signal = 0;
  double noise = 0;
  std::vector<double> ratios;
  std::vector<double> largest;
  double step = last_step(channels, storage);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const Channel& channel = channels[i];
    signal += channel.signal;
    noise += channel.noise;
    if (channel.largest == 0) {
      continue;
    }
    ratios.push_back(sqnr_db(channel.signal, channel.noise));
    largest.push_back(channel.largest);
    if (ratios.size() == 1 || ratios.back() < result.worst.sqnr_db) {
      result.worst = {static_cast<std::int64_t>(i), ratios.back()};
    }
    double gain = channel.dot / channel.signal;
    if (std::abs(std::log(std::max(gain, 1e-9))) > std::abs(std::log(std::max(result.gain, 1e-9)))) {
      result.gain = gain;
      result.gain_channel = static_cast<std::int64_t>(i);
    }
    double slack = static_cast<double>(channel.scale) * step / channel.largest;
    // One scale for all channels is as wide as the widest of them needs.
    if (result.per_channel && slack > result.slack) {
      result.slack = slack;
      result.slack_channel = static_cast<std::int64_t>(i);
    }
  }
  result.sqnr_db = sqnr_db(signal, noise);
  if (largest.empty()) {
    return;
  }
  double widest = *std::max_element(largest.begin(), largest.end());
  result.median_db = median(ratios);
  result.spread = widest / median(largest);
  if (!result.per_channel) {
    result.slack = static_cast<double>(channels[0].scale) * step / widest;
  }
}

}  // namespace

ConstantErrors::ConstantErrors(const Graph& reference, const Graph& quantized, const QuantPlan* plan)
    : reference_(reference),
      quantized_(quantized),
      plan_(plan),
      reference_makers_(producers(reference)),
      makers_(producers(quantized)) {}

void ConstantErrors::write(const QuantizedPoint& point, LayerMeasurement& layer) const {
  ValueId value = reference_.find(layer.tensor);
  const Node* float_node = value == kNoValue ? nullptr : product_behind(reference_, reference_makers_, value);
  const Node* node = product_behind(quantized_, makers_, point.real);
  if (float_node == nullptr || node == nullptr || float_node->op != node->op) {
    return;
  }
  if (std::optional<std::int64_t> axis = channel_axis(reference_, *float_node)) {
    layer.weights = measure(*float_node, *node, 1, *axis);
  }
  layer.bias = measure(*float_node, *node, 2, 0);
  layer.bias_was_improved = layer.bias && improved_bias(*float_node) != nullptr;
}

const std::vector<float>* ConstantErrors::improved_bias(const Node& float_node) const {
  const Decision* decision = plan_ != nullptr && float_node.has_input(2)
                                 ? plan_->find(reference_.value(float_node.inputs[2]).name)
                                 : nullptr;
  return decision != nullptr && !decision->values.empty() ? &decision->values : nullptr;
}

std::optional<ConstantMeasurement> ConstantErrors::measure(const Node& float_node, const Node& node,
                                                           std::size_t input, std::int64_t axis) const {
  const Tensor* wanted = reference_.constant(float_node, input);
  if (wanted == nullptr || wanted->type() != ElementType::kFloat32 || wanted->size() == 0 ||
      !node.has_input(input) || makers_[static_cast<std::size_t>(node.inputs[input])] < 0) {
    return std::nullopt;
  }
  const Node& dequantize =
      quantized_.nodes[static_cast<std::size_t>(makers_[static_cast<std::size_t>(node.inputs[input])])];
  const Tensor* integers = quantized_.constant(dequantize, 0);
  if (dequantize.op != Op::kDequantizeLinear || integers == nullptr || integers->shape() != wanted->shape()) {
    return std::nullopt;
  }
  Result<QuantNode> quantization = read_quant_node(quantized_, dequantize);
  Result<ParamsLayout> scales = quantization.ok()
                                    ? ParamsLayout::of(wanted->shape(), quantization->params.granularity)
                                    : quantization.status();
  Result<ParamsLayout> places = ParamsLayout::of(wanted->shape(), Granularity::per_channel(axis));
  if (!scales.ok() || !places.ok() ||
      scales->count() != static_cast<std::int64_t>(quantization->params.params.size())) {
    return std::nullopt;
  }
  ConstantMeasurement result;
  result.tensor = reference_.value(float_node.inputs[input]).name;
  result.type = name_of(integers->type());
  result.per_channel = quantization->params.params.size() > 1;
  std::vector<Channel> channels(static_cast<std::size_t>(places->count()));
  const std::vector<float>* improved = input == 2 ? improved_bias(float_node) : nullptr;
  std::int64_t saturated = 0;
  visit_integer(integers->type(), [&](auto element) {
    std::span<const decltype(element)> q = integers->data<decltype(element)>();
    std::span<const float> reals = wanted->data<float>();
    if (improved != nullptr && improved->size() == reals.size()) {
      reals = *improved;
    }
    auto params_at = [&](std::size_t i) -> const QuantParams& {
      return quantization->params
          .params[static_cast<std::size_t>(scales->index_of(static_cast<std::int64_t>(i)))];
    };
    auto step_at = [&](std::size_t i) { return static_cast<std::int64_t>(q[i]) - params_at(i).zero_point; };
    auto error_at = [&](std::size_t i) {
      return static_cast<double>(zeropoint::dequantize(static_cast<std::int64_t>(q[i]), params_at(i))) -
             static_cast<double>(reals[i]);
    };
    for (std::size_t i = 0; i < reals.size(); ++i) {
      Channel& channel = channels[static_cast<std::size_t>(places->index_of(static_cast<std::int64_t>(i)))];
      double real = reals[i];
      channel.signal += real * real;
      channel.noise += error_at(i) * error_at(i);
      channel.dot += real * (real + error_at(i));
      channel.largest = std::max(channel.largest, std::abs(real));
      channel.largest_step = std::max(channel.largest_step, std::abs(step_at(i)));
      channel.scale = std::max(channel.scale, params_at(i).scale);
    }
    auto last = static_cast<std::int64_t>(last_step(channels, integers->type()));
    for (std::size_t i = 0; i < reals.size(); ++i) {
      bool beyond = std::abs(error_at(i)) > 0.51 * static_cast<double>(params_at(i).scale);
      saturated += beyond && std::abs(step_at(i)) >= last ? 1 : 0;
    }
  });
  result.saturated = static_cast<double>(saturated) / static_cast<double>(wanted->size());
  summarize(channels, integers->type(), result);
  return result;
}

}  // namespace zeropoint::toolchain
