#include <set>

#include "zeropoint/toolchain/tune.h"

namespace zeropoint::toolchain {
namespace {

constexpr double kFloatBits = 32;

}  // namespace

double network_bits(const Graph& improved, const QuantPlan& plan) {
  Graph graph = improved;
  if (!infer_shapes(graph).ok()) {
    graph = improved;
  }
  std::set<ValueId> values(graph.inputs.begin(), graph.inputs.end());
  for (const Node& node : graph.nodes) {
    values.insert(node.inputs.begin(), node.inputs.end());
    values.insert(node.outputs.begin(), node.outputs.end());
  }
  double bits = 0;
  for (ValueId id : values) {
    if (id == kNoValue || graph.value(id).type != ElementType::kFloat32) {
      continue;
    }
    const Value& value = graph.value(id);
    const Decision* decision = plan.find(value.name);
    double each = decision == nullptr ? kFloatBits : decision->type.bits;
    if (value.constant != nullptr) {
      bits += each * static_cast<double>(value.constant->size());
    } else if (value.dims) {
      Result<std::int64_t> elements = element_count(shape_of(*value.dims, 1));
      bits += elements.ok() ? each * static_cast<double>(*elements) : 0;
    }
  }
  return bits;
}

}  // namespace zeropoint::toolchain
