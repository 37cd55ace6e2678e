#include "report/conversions.h"

#include "graph/quant_nodes.h"

namespace zeropoint::toolchain {
namespace {

/// Whether a Clip's bounds are the first and last real of an n-bit type at the parameters of the
/// QuantizeLinear that alone reads it: apply_plan() puts it there for the bits, not for the network.
bool narrows_bits(const Graph& graph, const Node& clip, const std::vector<std::int32_t>& readers) {
  const Tensor* low = graph.constant(clip, 1);
  const Tensor* high = graph.constant(clip, 2);
  if (readers.size() != 1 || low == nullptr || high == nullptr || low->type() != ElementType::kFloat32 ||
      high->type() != ElementType::kFloat32 || low->size() != 1 || high->size() != 1) {
    return false;
  }
  const Node& reader = graph.nodes[static_cast<std::size_t>(readers[0])];
  Result<QuantNode> read = reader.op == Op::kQuantizeLinear
                               ? read_quant_node(graph, reader)
                               : Result<QuantNode>(Status::not_found("no QuantizeLinear"));
  if (!read.ok() || read->params.params.size() != 1) {
    return false;
  }
  QuantParams params = read->params.params[0];
  bool is_signed = storage_range(read->storage).q_min < 0;
  for (int bits = 2; bits < 8; ++bits) {
    QuantizedRange range = *QuantizedType{bits, is_signed}.range();
    if (low->data<float>()[0] == dequantize(range.q_min, params) &&
        high->data<float>()[0] == dequantize(range.q_max, params)) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<bool> conversions(const Graph& graph) {
  std::vector<std::vector<std::int32_t>> readers = consumers(graph);
  std::vector<bool> result;
  for (const Node& node : graph.nodes) {
    result.push_back(node.op == Op::kQuantizeLinear || node.op == Op::kDequantizeLinear ||
                     (node.op == Op::kClip &&
                      narrows_bits(graph, node, readers[static_cast<std::size_t>(node.outputs[0])])));
  }
  return result;
}

}  // namespace zeropoint::toolchain
