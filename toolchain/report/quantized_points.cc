#include "report/quantized_points.h"

#include <algorithm>
#include <map>
#include <set>

#include "graph/attention_mask.h"
#include "report/computed_alike.h"
#include "report/conversions.h"
#include "simplify/qdq_pairs.h"

namespace zeropoint::toolchain {
namespace {

std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }

/// A constant, or one behind DequantizeLinear.
bool is_fixed(const Graph& graph, const std::vector<std::int32_t>& makers, ValueId id) {
  if (id == kNoValue || graph.value(id).constant != nullptr) {
    return true;
  }
  std::int32_t maker = makers[index(id)];
  return maker >= 0 && graph.nodes[static_cast<std::size_t>(maker)].op == Op::kDequantizeLinear &&
         graph.constant(graph.nodes[static_cast<std::size_t>(maker)], 0) != nullptr;
}

/// The one input that is not fixed; none where there are more.
std::optional<ValueId> sole_input(const Graph& graph, const std::vector<std::int32_t>& makers,
                                  const Node& node) {
  std::optional<ValueId> sole;
  for (ValueId input : node.inputs) {
    if (!is_fixed(graph, makers, input)) {
      if (sole) {
        return std::nullopt;
      }
      sole = input;
    }
  }
  return sole;
}

bool is_product(const Node& node) {
  return node.op == Op::kConv || node.op == Op::kConvTranspose || node.op == Op::kGemm ||
         node.op == Op::kMatMul;
}

/// Whether a node gives each element of its one computed input another value.
bool is_elementwise(const Node& node) {
  return info_of(node.op).integer_form == IntegerForm::kTable || node.op == Op::kAdd || node.op == Op::kSub ||
         node.op == Op::kMul || node.op == Op::kDiv;
}

class PointFinder {
 public:
  PointFinder(const Graph& reference, const Graph& quantized)
      : reference_(reference),
        quantized_(quantized),
        makers_(producers(quantized)),
        readers_(consumers(quantized)),
        reference_readers_(consumers(reference)),
        conversions_(conversions(quantized)) {
    for (std::size_t i = 0; i < reference.values.size(); ++i) {
      reference_ids_[reference.values[i].name] = static_cast<ValueId>(i);
    }
    alike_ = computed_alike(reference, quantized);
  }

  QuantizedPoints run() {
    for (const Node& node : quantized_.nodes) {
      if (node.op == Op::kQuantizeLinear && !is_fixed(quantized_, makers_, node.inputs[0])) {
        add_quantized(node);
      }
    }
    for (const Node& node : quantized_.nodes) {
      if (is_product(node)) {
        add_unrounded(node.outputs[0]);
      }
    }
    for (ValueId output : quantized_.outputs) {
      add_unrounded(output);
    }
    std::stable_sort(found_.points.begin(), found_.points.end(),
                     [&](const QuantizedPoint& a, const QuantizedPoint& b) {
                       return makers_[index(a.real)] < makers_[index(b.real)];
                     });
    describe_points();
    mark_masked();
    return std::move(found_);
  }

 private:
  [[nodiscard]] const Node* maker(ValueId id) const {
    return makers_[index(id)] < 0 ? nullptr : &quantized_.nodes[static_cast<std::size_t>(makers_[index(id)])];
  }

  void add_quantized(const Node& node) {
    QuantizedPoint point;
    point.real = node.inputs[0];
    Result<QuantNode> quantization = read_quant_node(quantized_, node);
    point.range = storage_range(quantized_.value(node.outputs[0]).type);
    // The Clip that makes fewer bits of a type belongs to the rounding.
    if (std::int32_t clip = makers_[index(point.real)]; clip >= 0 && quantization.ok() &&
                                                        conversions_[static_cast<std::size_t>(clip)] &&
                                                        maker(point.real)->op == Op::kClip) {
      const Node& bounds = *maker(point.real);
      QuantParams params = quantization->params.params[0];
      point.range = {quantize(quantized_.constant(bounds, 1)->data<float>()[0], params, point.range),
                     quantize(quantized_.constant(bounds, 2)->data<float>()[0], params, point.range)};
      point.real = bounds.inputs[0];
    }
    for (std::int32_t reader : readers_[index(node.outputs[0])]) {
      const Node& dequantize = quantized_.nodes[static_cast<std::size_t>(reader)];
      if (dequantize.op == Op::kDequantizeLinear) {
        point.results.push_back(dequantize.outputs[0]);
      }
    }
    point.reference = find(point, base_name(quantized_.value(node.outputs[0]).name));
    if (point.reference == kNoValue || point.results.empty() || !quantization.ok()) {
      found_.unmatched.push_back(quantized_.value(point.real).name);
      return;
    }
    point.quantization = *std::move(quantization);
    covered_.insert(point.results.begin(), point.results.end());
    covered_.insert(point.real);
    found_.points.push_back(std::move(point));
  }

  /// A result that no QuantizeLinear follows, activations aside.
  void add_unrounded(ValueId id) {
    if (quantized_.value(id).type != ElementType::kFloat32 || ends_rounded(id) ||
        !covered_.insert(id).second) {
      return;
    }
    auto found = reference_ids_.find(quantized_.value(id).name);
    ValueId reference = found != reference_ids_.end() ? found->second : alike_[index(id)];
    if (reference != kNoValue && fits(reference, id)) {
      QuantizedPoint point;
      point.reference = reference;
      point.real = id;
      found_.points.push_back(std::move(point));
    }
  }

  /// Whether `id` is a point, or only activations are between it and one.
  [[nodiscard]] bool ends_rounded(ValueId id) const {
    for (int steps = 0; covered_.count(id) == 0; ++steps) {
      const std::vector<std::int32_t>& readers = readers_[index(id)];
      if (readers.size() != 1 || steps == 8) {
        return false;
      }
      const Node& reader = quantized_.nodes[static_cast<std::size_t>(readers[0])];
      if (!is_elementwise(reader) || sole_input(quantized_, makers_, reader) != id) {
        return false;
      }
      id = reader.outputs[0];
    }
    return true;
  }

  [[nodiscard]] bool fits(ValueId reference, ValueId quantized) const {
    const Value& a = reference_.value(reference);
    const Value& b = quantized_.value(quantized);
    if (a.type != ElementType::kFloat32 || a.constant != nullptr || !a.dims || !b.dims ||
        a.dims->size() != b.dims->size()) {
      return false;
    }
    for (std::size_t i = 0; i < a.dims->size(); ++i) {
      const Dim& x = (*a.dims)[i];
      const Dim& y = (*b.dims)[i];
      if (x.known() && y.known() && x.extent != y.extent) {
        return false;
      }
    }
    return true;
  }

  /// The tensor of the float network that has one of the point's names, or is computed alike.
  [[nodiscard]] ValueId find(const QuantizedPoint& point, const std::string& base) const {
    std::vector<std::string> names{quantized_.value(point.real).name};
    for (ValueId id : point.results) {
      names.push_back(quantized_.value(id).name);
    }
    names.push_back(base);
    for (const std::string& name : names) {
      auto found = reference_ids_.find(name);
      if (found != reference_ids_.end() && fits(found->second, point.real)) {
        return after_absorbed(found->second, point);
      }
    }
    ValueId alike = alike_[index(point.real)];
    return alike != kNoValue && fits(alike, point.real) ? after_absorbed(alike, point) : kNoValue;
  }

  /// A Relu or Clip that the quantized network leaves to the range of the integers: what it gives.
  [[nodiscard]] ValueId after_absorbed(ValueId id, const QuantizedPoint& point) const {
    while (reference_readers_[index(id)].size() == 1) {
      const Node& reader = reference_.nodes[static_cast<std::size_t>(reference_readers_[index(id)][0])];
      if ((reader.op != Op::kRelu && reader.op != Op::kClip) || is_read_by(point, reader.op)) {
        break;
      }
      id = reader.outputs[0];
    }
    return id;
  }

  /// Whether an `op` reads what the point gives.
  [[nodiscard]] bool is_read_by(const QuantizedPoint& point, Op op) const {
    return std::any_of(point.results.begin(), point.results.end(), [&](ValueId result) {
      const std::vector<std::int32_t>& readers = readers_[index(result)];
      return std::any_of(readers.begin(), readers.end(), [&](std::int32_t reader) {
        return quantized_.nodes[static_cast<std::size_t>(reader)].op == op;
      });
    });
  }

  void describe_points() {
    std::vector<QuantizedPoint>& points = found_.points;
    for (std::size_t i = 0; i < points.size(); ++i) {
      QuantizedPoint& point = points[i];
      point.group = i;
      point.maker = maker(point.real);
      if (const Node* product = product_behind(quantized_, makers_, point.real)) {
        point.maker = product;
      } else if (point.maker != nullptr && info_of(point.maker->op).integer_form == IntegerForm::kMoves) {
        join_sources(i);
      }
    }
  }

  /// Points stand in the order of the graph, so those that are moved come before where they are moved to.
  void join_sources(std::size_t mover) {
    std::vector<QuantizedPoint>& points = found_.points;
    for (std::size_t i = 0; i < mover; ++i) {
      bool is_read = std::any_of(points[i].results.begin(), points[i].results.end(), [&](ValueId result) {
        return std::count(points[mover].maker->inputs.begin(), points[mover].maker->inputs.end(), result) > 0;
      });
      if (is_read && points[mover].quantization &&
          points[i].quantization->params == points[mover].quantization->params) {
        points[mover].only_moves = true;
        std::size_t one = std::min(points[i].group, points[mover].group);
        std::size_t other = std::max(points[i].group, points[mover].group);
        for (QuantizedPoint& member : points) {
          member.group = member.group == other ? one : member.group;
        }
      }
    }
  }

  void mark_masked() {
    std::set<ValueId> masked;
    for (const Node& node : reference_.nodes) {
      if (attention_mask(reference_, node, reference_readers_)) {
        masked.insert(node.outputs[0]);
      }
    }
    for (QuantizedPoint& point : found_.points) {
      point.is_masked = masked.count(point.reference) != 0;
    }
  }

  const Graph& reference_;
  const Graph& quantized_;
  std::vector<std::int32_t> makers_;
  std::vector<std::vector<std::int32_t>> readers_;
  std::vector<std::vector<std::int32_t>> reference_readers_;
  std::vector<bool> conversions_;
  std::map<std::string, ValueId> reference_ids_;
  std::vector<ValueId> alike_;  // see computed_alike()
  std::set<ValueId> covered_;   // values of the quantized network that belong to a point
  QuantizedPoints found_;
};

}  // namespace

const Node* product_behind(const Graph& graph, const std::vector<std::int32_t>& makers, ValueId value) {
  constexpr int kMostSteps = 8;
  for (int step = 0; step < kMostSteps && makers[index(value)] >= 0; ++step) {
    const Node& node = graph.nodes[static_cast<std::size_t>(makers[index(value)])];
    if (is_product(node)) {
      return node.inputs.size() > 1 && is_fixed(graph, makers, node.inputs[1]) ? &node : nullptr;
    }
    std::optional<ValueId> before = sole_input(graph, makers, node);
    if (!before || !is_elementwise(node)) {
      return nullptr;
    }
    value = *before;
  }
  return nullptr;
}

QuantizedPoints find_points(const Graph& reference, const Graph& quantized) {
  return PointFinder(reference, quantized).run();
}

}  // namespace zeropoint::toolchain
