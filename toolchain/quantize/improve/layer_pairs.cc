#include "quantize/improve/layer_pairs.h"

#include <fmt/format.h>

#include <algorithm>

#include "quantize/node_role.h"

namespace zeropoint::toolchain {
namespace {

class PairFinder {
 public:
  explicit PairFinder(const Graph& graph) : graph_(graph), readers_(consumers(graph)) {}

  LayerPairs run() {
    LayerPairs result;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (role_of(graph_, graph_.nodes[i]).kind != NodeRole::Kind::kLayer) {
        continue;
      }
      LayerPair pair{i, 0, {}, std::nullopt, 0};
      std::string why = follow(pair);
      if (why.empty()) {
        result.pairs.push_back(std::move(pair));
      } else {
        result.refused.push_back({describe(graph_.nodes[i]), false, std::move(why)});
      }
    }
    return result;
  }

 private:
  /// Completes the pair; says why it cannot.
  [[nodiscard]] std::string follow(LayerPair& pair) const {
    if (std::string why = why_not_changeable(graph_.nodes[pair.first]); !why.empty()) {
      return why;
    }
    ValueId value = graph_.nodes[pair.first].outputs[0];
    while (true) {
      const std::vector<std::int32_t>& readers = readers_[static_cast<std::size_t>(value)];
      if (std::count(graph_.outputs.begin(), graph_.outputs.end(), value) > 0) {
        return "its result leaves the graph";
      }
      if (readers.size() != 1) {
        return fmt::format("its result is read by {} nodes", readers.size());
      }
      pair.second = static_cast<std::size_t>(readers[0]);
      const Node& node = graph_.nodes[pair.second];
      if (role_of(graph_, node).kind == NodeRole::Kind::kLayer && node.inputs[0] == value) {
        bool convolutions = is_convolution(graph_.nodes[pair.first]);
        return convolutions != is_convolution(node) ? "the layer behind it orders channels otherwise"
                                                    : why_not_changeable(node);
      }
      if (std::string why = pass(pair, node); !why.empty()) {
        return why;
      }
      pair.between.push_back(pair.second);
      value = node.outputs[0];
    }
  }

  static bool is_convolution(const Node& node) {
    return node.op == Op::kConv || node.op == Op::kConvTranspose;
  }

  [[nodiscard]] std::string why_not_changeable(const Node& layer) const {
    for (std::size_t i = 1; i < layer.inputs.size(); ++i) {
      if (layer.has_input(i) && readers_[static_cast<std::size_t>(layer.inputs[i])].size() != 1) {
        return "its constants are shared";
      }
    }
    const Tensor& weights = *graph_.constant(layer, 1);
    return layer.op == Op::kMatMul && weights.rank() != 2 ? "its weights are no matrix" : "";
  }

  /// Whether scaling channels by positive factors may pass `node`; else why not.
  [[nodiscard]] std::string pass(LayerPair& pair, const Node& node) const {
    switch (node.op) {
      case Op::kRelu:
      case Op::kLeakyRelu:
        return "";
      case Op::kPRelu:
        return graph_.constant(node, 1) != nullptr ? "" : "the slopes of its PRelu are not constant";
      case Op::kMaxPool:
      case Op::kAveragePool:
      case Op::kGlobalAveragePool:
        return is_convolution(graph_.nodes[pair.first]) && node.outputs.size() == 1
                   ? ""
                   : describe(node) + " follows";
      case Op::kClip:
        return pass_clip(pair, node);
      default:
        return fmt::format("{} behind it is not homogeneous in each channel", name_of(node.op));
    }
  }

  [[nodiscard]] std::string pass_clip(LayerPair& pair, const Node& node) const {
    auto end = [&](std::size_t i) {
      const Tensor* tensor = graph_.constant(node, i);
      return tensor != nullptr && tensor->type() == ElementType::kFloat32 && tensor->size() == 1
                 ? std::optional<double>(tensor->data<float>()[0])
                 : std::nullopt;
    };
    std::optional<double> low = end(1);
    std::optional<double> high = end(2);
    if (low != 0.0 || !high || *high <= 0 || pair.clip) {
      return "the Clip behind it does not clip to [0, limit]";
    }
    pair.clip = pair.second;
    pair.limit = *high;
    return "";
  }

  const Graph& graph_;
  std::vector<std::vector<std::int32_t>> readers_;
};

}  // namespace

LayerPairs layer_pairs(const Graph& graph) { return PairFinder(graph).run(); }

}  // namespace zeropoint::toolchain
