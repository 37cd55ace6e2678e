#include "quantize/activation_types.h"

#include <fmt/format.h>

#include <algorithm>

#include "quantize/activation_ranges.h"

namespace zeropoint::toolchain {
namespace {

using Kind = NodeRole::Kind;

class TypeFinder {
 public:
  TypeFinder(const Graph& graph, const IntegerFlow& flow, const Recipe& recipe, const PrecisionNeeds& needs)
      : graph_(graph),
        flow_(flow),
        recipe_(recipe),
        needs_(needs),
        producers_(producers(graph)),
        readers_(consumers(graph)) {}

  ActivationTypes run() {
    std::map<ValueId, std::vector<ValueId>> members;
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      if (flow_.quantized[i]) {
        members[flow_.group[i]].push_back(static_cast<ValueId>(i));
      }
    }
    for (const auto& [group, values] : members) {
      types_.groups[group] = type_of(values);
      auto needed = needs_.why.find(group);
      if (needed != needs_.why.end() && types_.groups[group].type.bits < 16) {
        types_.groups[group] = {{16, types_.groups[group].type.is_signed}, needed->second};
      }
      for (ValueId id : needs_.products.count(group) == 0 ? values : std::vector<ValueId>()) {
        copy_for_products(id, types_.groups[group].type);
      }
    }
    return std::move(types_);
  }

 private:
  [[nodiscard]] const NodeRole& role(std::int32_t node) const {
    return flow_.roles[static_cast<std::size_t>(node)];
  }
  [[nodiscard]] const Node& node_at(std::int32_t node) const {
    return graph_.nodes[static_cast<std::size_t>(node)];
  }
  [[nodiscard]] const std::vector<std::int32_t>& readers(ValueId id) const {
    return readers_[static_cast<std::size_t>(id)];
  }

  /// Whether the node multiplies `id` and sums.
  [[nodiscard]] bool is_product(std::int32_t node, ValueId id) const {
    const std::vector<ValueId>& inputs = node_at(node).inputs;
    bool layer = role(node).kind == Kind::kLayer && inputs[0] == id;
    return layer || (role(node).kind == Kind::kComputes && node_at(node).op == Op::kMatMul);
  }

  [[nodiscard]] bool is_output(ValueId id) const {
    return std::find(graph_.outputs.begin(), graph_.outputs.end(), id) != graph_.outputs.end();
  }

  /// The node that computes `id`; nullptr for inputs, constants and what moves.
  [[nodiscard]] const Node* maker_of(ValueId id) const {
    const Node* maker = computer_of(graph_, flow_, producers_, id);
    return maker == nullptr || role(index_of(*maker)).kind == Kind::kMoves ? nullptr : maker;
  }
  [[nodiscard]] std::int32_t index_of(const Node& node) const {
    return static_cast<std::int32_t>(&node - graph_.nodes.data());
  }

  [[nodiscard]] QuantizedType wish(std::int32_t node) const {
    return node_recipe(recipe_, node_at(node)).activations;
  }

  [[nodiscard]] ActivationTypes::Type type_of(const std::vector<ValueId>& values) const {
    ActivationTypes::Type found{recipe_.activations, ""};
    bool any = false;
    auto widen = [&](std::int32_t node, const char* verb) {
      QuantizedType wished = wish(node);
      if (!any || wished.bits > found.type.bits) {
        found.type = wished;
        found.why = wished == recipe_.activations
                        ? ""
                        : fmt::format("{} as {} {} it", wished.name(), describe(node_at(node)), verb);
      }
      any = true;
    };
    bool border = false;
    for (ValueId id : values) {
      bool by_others = is_output(id) || readers(id).empty();
      for (std::int32_t reader : readers(id)) {
        Kind kind = role(reader).kind;
        if (kind != Kind::kMoves && kind != Kind::kFloat && kind != Kind::kOutside) {
          widen(reader, "reads");
        }
        by_others = by_others || (kind != Kind::kMoves && !is_product(reader, id));
      }
      const Node* maker = maker_of(id);
      if (maker != nullptr && by_others && role(index_of(*maker)).quantized()) {
        widen(index_of(*maker), "gives");
      }
      bool input = std::find(graph_.inputs.begin(), graph_.inputs.end(), id) != graph_.inputs.end();
      border = border || input || is_output(id);
    }
    if (border && recipe_.border_bits != 0) {
      found = {{recipe_.border_bits, recipe_.activations.is_signed}, ""};
    }
    if (values.size() == 1 && found.type.bits < 16) {
      if (const Node* activation = activation_of_layer(values[0])) {
        return {{16, found.type.is_signed},
                fmt::format("16 bits, so that the layer and {} are one step", describe(*activation))};
      }
    }
    return found;
  }

  /// The function of one element that alone reads `id`, the result of a layer.
  [[nodiscard]] const Node* activation_of_layer(ValueId id) const {
    const Node* maker = maker_of(id);
    bool one = maker != nullptr && role(index_of(*maker)).kind == Kind::kLayer && readers(id).size() == 1 &&
               !is_output(id);
    if (!one) {
      return nullptr;
    }
    const Node& reader = node_at(readers(id)[0]);
    bool prelu = reader.op == Op::kPRelu && graph_.constant(reader, 1) != nullptr;
    return role(readers(id)[0]).kind == Kind::kTable || prelu ? &reader : nullptr;
  }

  void copy_for_products(ValueId id, QuantizedType type) {
    for (std::int32_t reader : readers(id)) {
      QuantizedType wished = wish(reader);
      if (is_product(reader, id) && wished.bits < type.bits) {
        types_.copies[{id, wished.bits, wished.is_signed}].push_back(reader);
      }
    }
  }

  const Graph& graph_;
  const IntegerFlow& flow_;
  const Recipe& recipe_;
  const PrecisionNeeds& needs_;
  std::vector<std::int32_t> producers_;
  std::vector<std::vector<std::int32_t>> readers_;
  ActivationTypes types_;
};

}  // namespace

ActivationTypes activation_types(const Graph& graph, const IntegerFlow& flow, const Recipe& recipe,
                                 const PrecisionNeeds& needs) {
  return TypeFinder(graph, flow, recipe, needs).run();
}

}  // namespace zeropoint::toolchain
