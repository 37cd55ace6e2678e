#include "quantize/precision_needs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zeropoint::toolchain {
namespace {

using Kind = NodeRole::Kind;

constexpr QuantizedType kEightBits{8, false};

/// Calls visit(middle, count) for each bin that holds something.
template <typename Visit>
void for_each_bin(const Histogram& histogram, Visit visit) {
  std::span<const std::int64_t> bins = histogram.bins();
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (bins[i] > 0) {
      double middle = histogram.edge(static_cast<int>(i)) + histogram.width() / 2;
      visit(middle, static_cast<double>(bins[i]));
    }
  }
}

double mean_square(const TensorStatistics& tensor) {
  double sum = 0;
  for_each_bin(tensor.histogram, [&](double middle, double count) { sum += count * middle * middle; });
  return tensor.count() == 0 ? 0 : sum / static_cast<double>(tensor.count());
}

/// Where the argument of a Softmax comes from: factor * (a product of two tensors).
struct Scores {
  const Node* product = nullptr;
  double factor = 1;
};

class NeedFinder {
 public:
  NeedFinder(const Graph& graph, const IntegerFlow& flow, const std::map<ValueId, RealRange>& ranges,
             const Statistics& statistics)
      : graph_(graph), flow_(flow), ranges_(ranges), statistics_(statistics), producers_(producers(graph)) {}

  PrecisionNeeds run() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (flow_.roles[i].kind == Kind::kComputes && (node.op == Op::kSoftmax || node.op == Op::kLogSoftmax)) {
        look_at_softmax(node);
      }
    }
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      look_at_bulk(static_cast<ValueId>(i));
    }
    // What is made of coarse integers is no finer than they are.
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
      spread_to_operands(i);
    }
    return std::move(needs_);
  }

 private:
  [[nodiscard]] bool is_quantized(ValueId id) const {
    return id != kNoValue && flow_.quantized[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] ValueId group_of(ValueId id) const { return flow_.group[static_cast<std::size_t>(id)]; }
  [[nodiscard]] float step_of(ValueId id) const {
    RealRange range = ranges_.at(group_of(id));
    return (std::max(range.r_max, 0.0F) - std::min(range.r_min, 0.0F)) / 255;
  }
  [[nodiscard]] const Node* maker_of(ValueId id) const {
    std::int32_t maker = producers_[static_cast<std::size_t>(id)];
    return maker < 0 ? nullptr : &graph_.nodes[static_cast<std::size_t>(maker)];
  }
  [[nodiscard]] const NodeRole& role_of(const Node& node) const {
    return flow_.roles[static_cast<std::size_t>(&node - graph_.nodes.data())];
  }
  [[nodiscard]] const TensorStatistics* seen(ValueId id) const {
    auto found = statistics_.tensors.find(graph_.value(id).name);
    return found == statistics_.tensors.end() ? nullptr : &found->second;
  }

  void need(ValueId id, std::string why) { needs_.why.emplace(group_of(id), std::move(why)); }

  void look_at_softmax(const Node& softmax) {
    ValueId argument = softmax.inputs[0];
    if (!is_quantized(argument)) {
      return;
    }
    if (float step = step_of(argument); step > kWidestSoftmaxStep) {
      need(argument,
           fmt::format("16 bits, since a step of 8 bits, {:.2g}, would change what {} gives by {:.0f} %",
                       step, describe(softmax), 100 * std::expm1(step / 2)));
    }
    Scores scores = scores_behind(argument);
    if (scores.product == nullptr) {
      return;
    }
    double noise = scores.factor * noise_of_product(*scores.product);
    for (ValueId operand : scores.product->inputs) {
      if (noise > kMostScoreNoise && is_quantized(operand)) {
        need(operand, fmt::format("16 bits, since rounding to 8 would move the argument of {} by {:.2g} "
                                  "(standard deviation)",
                                  describe(softmax), noise));
        needs_.products.insert(group_of(operand));
      }
    }
  }

  /// Back through moves, masks that are added and constant factors to a product of two computed tensors.
  [[nodiscard]] Scores scores_behind(ValueId id) const {
    Scores scores;
    for (const Node* node = maker_of(id); node != nullptr; node = maker_of(id)) {
      std::size_t next = 0;
      switch (node->op) {
        case Op::kMatMul:
          scores.product = graph_.constant(*node, 1) == nullptr ? node : nullptr;
          return scores;
        case Op::kMul:
        case Op::kDiv:
        case Op::kAdd: {
          bool second = graph_.constant(*node, 1) != nullptr;
          const Tensor* constant = graph_.constant(*node, second ? 1 : 0);
          next = second ? 0 : 1;
          if (constant == nullptr) {
            return scores;
          }
          if (node->op != Op::kAdd && constant->size() == 1 && constant->type() == ElementType::kFloat32) {
            double factor = std::abs(static_cast<double>(constant->data<float>()[0]));
            scores.factor *= node->op == Op::kMul ? factor : 1 / factor;
          }
          break;
        }
        default:
          if (role_of(*node).kind != Kind::kMoves || node->op == Op::kConcat) {
            return scores;
          }
          next = role_of(*node).operands[0];
      }
      id = node->inputs[next];
    }
    return scores;
  }

  /// sqrt(K (var_a E[b^2] + var_b E[a^2])): each of the K products of a sum has the rounding of one times the
  /// other. 0 where an operand is not quantized or was not seen.
  [[nodiscard]] double noise_of_product(const Node& product) const {
    ValueId a = product.inputs[0];
    ValueId b = product.inputs[1];
    const std::optional<Dims>& dims = graph_.value(a).dims;
    if (!is_quantized(a) || !is_quantized(b) || seen(a) == nullptr || seen(b) == nullptr || !dims ||
        dims->empty() || !dims->back().known()) {
      return 0;
    }
    auto variance = [&](ValueId id) { return static_cast<double>(step_of(id)) * step_of(id) / 12; };
    return std::sqrt(static_cast<double>(dims->back().extent) *
                     (variance(a) * mean_square(*seen(b)) + variance(b) * mean_square(*seen(a))));
  }

  void look_at_bulk(ValueId id) {
    const Node* maker = is_quantized(id) ? maker_of(id) : nullptr;
    const TensorStatistics* statistics = seen(id);
    if (maker == nullptr || statistics == nullptr || role_of(*maker).kind == Kind::kMoves ||
        maker->op == Op::kSoftmax) {
      return;
    }
    RealRange range = ranges_.at(group_of(id));
    Result<QuantParams> params = choose_params(range.r_min, range.r_max, kEightBits);
    double ratio = params.ok() ? signal_to_noise(*statistics, *params, kEightBits) : HUGE_VAL;
    if (ratio < kLeastSignalToNoise) {
      need(id,
           fmt::format("16 bits, since its range is far beyond its bulk: 8 would leave {:.0f} dB of signal "
                       "to noise",
                       ratio));
      needs_.products.insert(group_of(id));
    }
  }

  void spread_to_operands(std::size_t i) {
    const Node& node = graph_.nodes[i];
    bool elementwise = flow_.roles[i].kind == Kind::kTable;
    switch (node.op) {
      case Op::kAdd:
      case Op::kSub:
      case Op::kMul:
      case Op::kDiv:
      case Op::kSum:
      case Op::kMin:
      case Op::kMax:
      case Op::kWhere:
        elementwise = elementwise || flow_.roles[i].kind == Kind::kComputes;
        break;
      default:
        break;
    }
    ValueId result = node.outputs[0];
    while (elementwise && result != kNoValue && !is_quantized(result)) {
      result = result_of_absorbed(result);
    }
    auto found = elementwise && result != kNoValue ? needs_.why.find(group_of(result)) : needs_.why.end();
    if (found == needs_.why.end()) {
      return;
    }
    for (std::size_t operand : flow_.roles[i].operands) {
      ValueId input = node.inputs[operand];
      if (is_quantized(input)) {
        need(input,
             fmt::format("16 bits, since '{}' is made of it, which has them", graph_.value(result).name));
      }
    }
  }

  /// What the activation that took in `id`'s maker gives; kNoValue where there is none.
  [[nodiscard]] ValueId result_of_absorbed(ValueId id) const {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (flow_.absorbed[i] && graph_.nodes[i].inputs[0] == id) {
        return graph_.nodes[i].outputs[0];
      }
    }
    return kNoValue;
  }

  const Graph& graph_;
  const IntegerFlow& flow_;
  const std::map<ValueId, RealRange>& ranges_;
  const Statistics& statistics_;
  std::vector<std::int32_t> producers_;
  PrecisionNeeds needs_;
};

}  // namespace

double signal_to_noise(const TensorStatistics& tensor, QuantParams params, QuantizedType type) {
  Result<QuantizedRange> range = type.range();
  double signal = 0;
  double noise = 0;
  double step = params.scale;
  double low = dequantize(range->q_min, params);
  double high = dequantize(range->q_max, params);
  for_each_bin(tensor.histogram, [&](double middle, double count) {
    signal += count * middle * middle;
    double outside = middle > high ? middle - high : (middle < low ? low - middle : 0);
    noise += count * (outside > step / 2 ? outside * outside : std::min(step * step / 12, middle * middle));
  });
  return noise > 0 ? 10 * std::log10(signal / noise) : HUGE_VAL;
}

PrecisionNeeds precision_needs(const Graph& graph, const IntegerFlow& flow,
                               const std::map<ValueId, RealRange>& ranges, const Statistics& statistics) {
  return NeedFinder(graph, flow, ranges, statistics).run();
}

}  // namespace zeropoint::toolchain
