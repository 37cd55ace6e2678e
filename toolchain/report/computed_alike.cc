#include "report/computed_alike.h"

#include <algorithm>
#include <set>

#include "report/conversions.h"

namespace zeropoint::toolchain {
namespace {

std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }

/// The shape of a node's second input where that is constant, looked for behind DequantizeLinear too.
Shape weights_shape(const Graph& graph, const std::vector<std::int32_t>& makers, const Node& node) {
  if (!node.has_input(1)) {
    return {};
  }
  const Tensor* constant = graph.constant(node, 1);
  if (std::int32_t maker = makers[index(node.inputs[1])]; constant == nullptr && maker >= 0) {
    const Node& dequantize = graph.nodes[static_cast<std::size_t>(maker)];
    constant = dequantize.op == Op::kDequantizeLinear ? graph.constant(dequantize, 0) : nullptr;
  }
  return constant == nullptr ? Shape() : constant->shape();
}

class Pairing {
 public:
  Pairing(const Graph& reference, const Graph& quantized)
      : reference_(reference),
        quantized_(quantized),
        reference_makers_(producers(reference)),
        makers_(producers(quantized)),
        readers_(consumers(reference)),
        alike_(quantized.values.size(), kNoValue) {}

  std::vector<ValueId> run() {
    for (std::size_t i = 0; i < std::min(reference_.inputs.size(), quantized_.inputs.size()); ++i) {
      alike_[index(quantized_.inputs[i])] = reference_.inputs[i];
    }
    std::vector<bool> is_conversion = conversions(quantized_);
    for (std::size_t i = 0; i < quantized_.nodes.size(); ++i) {
      const Node& node = quantized_.nodes[i];
      if (!node.has_input(0) || node.outputs[0] == kNoValue) {
        continue;
      }
      if (is_conversion[i]) {
        alike_[index(node.outputs[0])] = alike_[index(node.inputs[0])];
      } else {
        pair(node);
      }
    }
    return std::move(alike_);
  }

 private:
  void pair(const Node& node) {
    std::vector<ValueId> read;
    for (ValueId input : node.inputs) {
      if (input != kNoValue && alike_[index(input)] != kNoValue) {
        read.push_back(alike_[index(input)]);
      }
    }
    constexpr int kMostPassed = 4;
    for (int passed = 0; !read.empty() && passed <= kMostPassed; ++passed) {
      if (const Node* found = reader_of(read, node)) {
        used_.insert(found);
        for (std::size_t i = 0; i < std::min(found->outputs.size(), node.outputs.size()); ++i) {
          if (node.outputs[i] != kNoValue) {
            alike_[index(node.outputs[i])] = found->outputs[i];
          }
        }
        return;
      }
      bool moved = false;
      for (ValueId& id : read) {
        moved = pass(id) || moved;
      }
      if (!moved) {
        return;
      }
    }
  }

  /// A node of the float network that reads all of `read` and is of the operator and weights of `like`.
  [[nodiscard]] const Node* reader_of(const std::vector<ValueId>& read, const Node& like) const {
    for (std::int32_t reader : readers_[index(read[0])]) {
      const Node& node = reference_.nodes[static_cast<std::size_t>(reader)];
      bool reads_all = std::all_of(read.begin(), read.end(), [&](ValueId id) {
        return std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
      });
      if (node.op == like.op && reads_all && used_.count(&node) == 0 &&
          weights_shape(reference_, reference_makers_, node) == weights_shape(quantized_, makers_, like)) {
        return &node;
      }
    }
    return nullptr;
  }

  /// From a value to what a node makes of it that the quantized network may do without.
  bool pass(ValueId& id) const {
    for (std::int32_t reader : readers_[index(id)]) {
      const Node& node = reference_.nodes[static_cast<std::size_t>(reader)];
      if (node.op == Op::kRelu || node.op == Op::kClip || node.op == Op::kBatchNormalization ||
          node.op == Op::kIdentity) {
        id = node.outputs[0];
        return true;
      }
    }
    return false;
  }

  const Graph& reference_;
  const Graph& quantized_;
  std::vector<std::int32_t> reference_makers_;
  std::vector<std::int32_t> makers_;
  std::vector<std::vector<std::int32_t>> readers_;
  std::set<const Node*> used_;  // nodes of the float network that are paired
  std::vector<ValueId> alike_;
};

}  // namespace

std::vector<ValueId> computed_alike(const Graph& reference, const Graph& quantized) {
  return Pairing(reference, quantized).run();
}

}  // namespace zeropoint::toolchain
