#include "calibrate/channel_axes.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::int64_t kNone = -1;

std::int64_t rank_of(const Graph& graph, ValueId id) {
  const std::optional<Dims>& dims = graph.value(id).dims;
  return dims ? static_cast<std::int64_t>(dims->size()) : 0;
}

/// Normalized to [0, rank), or kNone.
std::int64_t checked(std::int64_t axis, std::int64_t rank) {
  axis = axis < 0 ? axis + rank : axis;
  return axis >= 0 && axis < rank ? axis : kNone;
}

/// The axis that the node sums over, or treats index by index, in its input `index`; kNone for other nodes.
std::int64_t axis_read(const Graph& graph, const Node& node, std::size_t index) {
  std::int64_t rank = rank_of(graph, node.inputs[index]);
  switch (node.op) {
    case Op::kConv:
    case Op::kConvTranspose:
    case Op::kBatchNormalization:
    case Op::kInstanceNormalization:
    case Op::kPRelu:
      return index == 0 ? checked(1, rank) : kNone;
    case Op::kMatMul:
      return index == 0 ? checked(-1, rank) : checked(rank >= 2 ? -2 : -1, rank);
    case Op::kGemm:
      if (index > 1) {
        return kNone;
      }
      return checked((index == 0) == (int_attribute(node, index == 0 ? "transA" : "transB") == 0) ? 1 : 0,
                     rank);
    case Op::kMatMulNBits:
    case Op::kLayerNormalization:
      return index == 0 ? checked(-1, rank) : kNone;
    default:
      return kNone;
  }
}

/// The axis along which the node makes channels; kNone for nodes that make none of their own.
std::int64_t axis_made(const Graph& graph, const Node& node) {
  std::int64_t rank = rank_of(graph, node.outputs[0]);
  switch (node.op) {
    case Op::kConv:
    case Op::kConvTranspose:
      return checked(1, rank);
    case Op::kMatMul:
    case Op::kMatMulNBits:
    case Op::kGemm:
    case Op::kLayerNormalization:
    case Op::kGather:  // rows of an embedding
      return checked(-1, rank);
    default:
      return kNone;
  }
}

/// Whether channels of the input are those of the output: the shapes are the same, or windows moved over it.
bool keeps_channels(const Graph& graph, const Node& node, std::size_t index) {
  ValueId from = node.inputs[index];
  ValueId to = node.outputs[0];
  switch (node.op) {
    case Op::kMaxPool:
    case Op::kAveragePool:
    case Op::kGlobalAveragePool:
    case Op::kGlobalMaxPool:
      return true;
    default:
      return rank_of(graph, from) > 0 && graph.value(from).dims == graph.value(to).dims;
  }
}

}  // namespace

std::vector<std::int64_t> channel_axes(const Graph& graph) {
  std::vector<std::int64_t> axes(graph.values.size(), kNone);
  auto axis_of = [&](ValueId id) -> std::int64_t& { return axes[static_cast<std::size_t>(id)]; };
  // Backwards, so that what a node's readers want is known before the node is asked: later readers first, and
  // layers before what only passes channels on.
  for (bool layers : {true, false}) {
    for (std::size_t i = graph.nodes.size(); i-- > 0;) {
      const Node& node = graph.nodes[i];
      for (std::size_t index = 0; index < node.inputs.size(); ++index) {
        if (!node.has_input(index) || axis_of(node.inputs[index]) != kNone || node.outputs[0] == kNoValue) {
          continue;
        }
        if (layers) {
          axis_of(node.inputs[index]) = axis_read(graph, node, index);
        } else if (keeps_channels(graph, node, index)) {
          axis_of(node.inputs[index]) = axis_of(node.outputs[0]);
        }
      }
    }
  }
  for (const Node& node : graph.nodes) {
    if (node.outputs.empty() || node.outputs[0] == kNoValue || axis_of(node.outputs[0]) != kNone) {
      continue;
    }
    std::int64_t& axis = axis_of(node.outputs[0]);
    axis = axis_made(graph, node);
    for (std::size_t index = 0; index < node.inputs.size() && axis == kNone; ++index) {
      if (node.has_input(index) && keeps_channels(graph, node, index)) {
        axis = axis_of(node.inputs[index]);
      }
    }
  }
  return axes;
}

}  // namespace zeropoint::toolchain
