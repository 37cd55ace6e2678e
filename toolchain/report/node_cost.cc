#include "report/node_cost.h"

#include <fmt/format.h>

#include <cctype>
#include <map>
#include <optional>
#include <string>

namespace zeropoint::toolchain {
namespace {

/// A count that remembers when it left 63 bits.
class Count {
 public:
  explicit Count(std::int64_t value = 1) : value_(value) {}

  Count& times(std::int64_t factor) {
    overflow_ = __builtin_mul_overflow(value_, factor, &value_) || overflow_;
    return *this;
  }
  Count& over(std::int64_t divisor) {
    value_ = divisor == 0 ? 0 : value_ / divisor;
    return *this;
  }
  [[nodiscard]] std::optional<std::int64_t> value() const {
    return overflow_ ? std::nullopt : std::optional(value_);
  }

 private:
  std::int64_t value_;
  bool overflow_ = false;
};

class Coster {
 public:
  Coster(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  Result<NodeCost> run() const {
    if (std::optional<Count> products = multiply_adds()) {
      std::optional<std::int64_t> macs = products->value();
      std::optional<std::int64_t> flops = products->times(2).value();
      return macs && flops ? Result<NodeCost>(NodeCost{*macs, *flops}) : too_much();
    }
    std::optional<std::int64_t> flops = plain_flops().value();
    return flops ? Result<NodeCost>(NodeCost{0, *flops}) : too_much();
  }

 private:
  [[nodiscard]] Status too_much() const {
    ValueId output = node_.outputs.empty() ? kNoValue : node_.outputs[0];
    const std::optional<Dims>* dims = output == kNoValue ? nullptr : &graph_.value(output).dims;
    return Status::unsupported(fmt::format("{}: {} costs more than can be counted", describe(node_),
                                           dims != nullptr && *dims ? to_string(**dims) : "its result"));
  }

  [[nodiscard]] const Dims* dims_of_value(ValueId id) const {
    const std::optional<Dims>& dims = graph_.value(id).dims;
    return dims && has_known_extents(*dims) ? &*dims : nullptr;
  }
  /// nullptr where it is absent or not known.
  [[nodiscard]] const Dims* input(std::size_t i) const {
    return node_.has_input(i) ? dims_of_value(node_.inputs[i]) : nullptr;
  }
  [[nodiscard]] const Dims* output() const {
    return node_.outputs.empty() || node_.outputs[0] == kNoValue ? nullptr : dims_of_value(node_.outputs[0]);
  }
  static Count elements(const Dims* dims) {
    Count count(dims == nullptr ? 0 : 1);
    for (std::size_t i = 0; dims != nullptr && i < dims->size(); ++i) {
      count.times((*dims)[i].extent);
    }
    return count;
  }
  static Count with(Count count, const Dims* dims) {
    for (std::size_t i = 0; dims != nullptr && i < dims->size(); ++i) {
      count.times((*dims)[i].extent);
    }
    return dims == nullptr ? Count(0) : count;
  }

  /// None for operators that are no products.
  [[nodiscard]] std::optional<Count> multiply_adds() const {
    switch (node_.op) {
      case Op::kConv:
      case Op::kConvInteger:
        return convolution(1);
      case Op::kQLinearConv:
        return convolution(3);
      case Op::kConvTranspose:  // each input element meets all the weights of its channel
        return input(0) == nullptr || input(1) == nullptr || input(1)->empty()
                   ? Count(0)
                   : with(elements(input(0)), input(1)).over((*input(1))[0].extent);
      case Op::kGemm:
      case Op::kQGemm:
        return input(0) == nullptr || input(0)->size() != 2
                   ? Count(0)
                   : elements(output()).times(
                         (*input(0))[int_attribute(node_, "transA") != 0 ? 0 : 1].extent);
      case Op::kMatMul:
      case Op::kMatMulInteger:
      case Op::kMatMulNBits:
      case Op::kQLinearMatMul:
      case Op::kDynamicQuantizeMatMul:
      case Op::kMatMulIntegerToFloat:
        return input(0) == nullptr || input(0)->empty() ? Count(0)
                                                        : elements(output()).times(input(0)->back().extent);
      case Op::kEinsum:
        return einsum();
      case Op::kLSTM:
      case Op::kGRU:
      case Op::kRNN:
        return recurrent();
      default:
        return std::nullopt;
    }
  }

  [[nodiscard]] Count convolution(std::size_t weights) const {
    const Dims* w = input(weights);
    return w == nullptr || w->empty() || output() == nullptr
               ? Count(0)
               : with(elements(output()), w).over(w->front().extent);
  }

  /// The product of the extents of all distinct labels, once per operand after the first; what an ellipsis
  /// stands for is taken from the output.
  [[nodiscard]] Count einsum() const {
    std::string equation = string_attribute(node_, "equation");
    std::map<char, std::int64_t> extents;
    std::size_t operand = 0;
    std::size_t axis = 0;
    for (char label : equation.substr(0, equation.find("->"))) {
      if (label == ',') {
        ++operand;
        axis = 0;
      } else if (std::isalpha(static_cast<unsigned char>(label)) != 0) {
        const Dims* dims = input(operand);
        if (dims == nullptr || axis >= dims->size()) {
          return Count(0);
        }
        extents[label] = (*dims)[axis++].extent;
      } else if (label == '.') {
        return elements(output());
      }
    }
    Count count;
    for (const auto& [label, extent] : extents) {
      count.times(extent);
    }
    return count.times(static_cast<std::int64_t>(operand));
  }

  /// Each step of each sample meets all weights and all recurrence weights, of both directions.
  [[nodiscard]] Count recurrent() const {
    const Dims* x = input(0);
    const Dims* w = input(1);
    const Dims* r = input(2);
    if (x == nullptr || w == nullptr || r == nullptr || x->size() != 3 || w->size() != 3 || r->size() != 3) {
      return Count(0);
    }
    std::int64_t columns = 0;
    if (__builtin_add_overflow((*w)[2].extent, (*r)[2].extent, &columns)) {
      columns = std::numeric_limits<std::int64_t>::max();
    }
    return Count((*x)[0].extent)
        .times((*x)[1].extent)
        .times((*w)[0].extent)
        .times((*w)[1].extent)
        .times(columns);
  }

  [[nodiscard]] std::int64_t window() const {
    Count count;
    for (std::int64_t extent : ints_attribute(node_, "kernel_shape")) {
      count.times(extent);
    }
    return count.value().value_or(std::numeric_limits<std::int64_t>::max());
  }

  [[nodiscard]] Count plain_flops() const {
    switch (node_.op) {
      case Op::kMaxPool:
        return elements(output()).times(window() - 1);
      case Op::kAveragePool:
      case Op::kQLinearAveragePool:
      case Op::kLpPool:
        return elements(output()).times(window());
      case Op::kGlobalAveragePool:
      case Op::kGlobalMaxPool:
      case Op::kGlobalLpPool:
      case Op::kQLinearGlobalAveragePool:
      case Op::kReduceMean:
      case Op::kReduceSum:
      case Op::kReduceMax:
      case Op::kReduceMin:
      case Op::kReduceProd:
      case Op::kReduceL1:
      case Op::kReduceL2:
      case Op::kReduceLogSum:
      case Op::kReduceLogSumExp:
      case Op::kReduceSumSquare:
      case Op::kArgMax:
      case Op::kArgMin:
      case Op::kCumSum:
        return elements(input(0));
      case Op::kSoftmax:
      case Op::kLogSoftmax:
      case Op::kQLinearSoftmax:
      case Op::kRMSNormalization:
        return elements(input(0)).times(4);
      case Op::kBatchNormalization:
        return elements(input(0)).times(2);
      case Op::kLayerNormalization:
      case Op::kInstanceNormalization:
      case Op::kGroupNormalization:
      case Op::kMeanVarianceNormalization:
      case Op::kLpNormalization:
        return elements(input(0)).times(7);
      case Op::kLRN:
        return elements(input(0)).times(2 * std::min<std::int64_t>(int_attribute(node_, "size"), 1 << 20) +
                                        3);
      default:
        return elements(is_pointwise() ? output() : nullptr);
    }
  }

  [[nodiscard]] bool is_pointwise() const {
    IntegerForm form = info_of(node_.op).integer_form;
    return form == IntegerForm::kTable || (form == IntegerForm::kComputes && node_.op != Op::kResize) ||
           node_.op == Op::kQLinearAdd || node_.op == Op::kQLinearMul || node_.op == Op::kQLinearSigmoid ||
           node_.op == Op::kQLinearLeakyRelu;
  }

  const Graph& graph_;
  const Node& node_;
};

}  // namespace

Result<NodeCost> cost_of(const Graph& graph, const Node& node) { return Coster(graph, node).run(); }

}  // namespace zeropoint::toolchain
