// Before: Pad (constant 0) -> Conv
// After:  Conv with larger pads
// When:   the pads are known, not negative and on spatial axes alone; the Conv has no auto_pad that depends
//         on the extents it sees (SAME).
// A convolution's padding is zeros: pads of both add up.

#include "simplify/graph_view.h"
#include "simplify/passes.h"

namespace zeropoint::toolchain {
namespace {

/// The pads of a Pad of zeros over spatial axes: all beginnings, then all ends.
std::optional<std::vector<std::int64_t>> spatial_pads(const Graph& graph, const GraphView& view,
                                                      const Node& pad) {
  const std::optional<Dims>& dims = graph.value(pad.inputs[0]).dims;
  const Tensor* pads = graph.constant(pad, 1);
  bool zeros = !pad.has_input(2) || view.number(pad.inputs[2]) == 0.0F;
  if (!dims || pads == nullptr || !zeros || string_attribute(pad, "mode") != "constant") {
    return std::nullopt;
  }
  std::size_t rank = dims->size();
  std::vector<std::int64_t> all(2 * rank, 0);
  std::span<const std::int64_t> given = pads->data<std::int64_t>();
  std::size_t count = given.size() / 2;
  const Tensor* axes = pad.has_input(3) ? graph.constant(pad, 3) : nullptr;
  if (rank < 3 ||
      (pad.has_input(3) ? axes == nullptr || axes->type() != ElementType::kInt64 : count != rank)) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t axis = axes == nullptr ? static_cast<std::int64_t>(i) : axes->data<std::int64_t>()[i];
    auto at = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
    all[at] = given[i];
    all[rank + at] = given[count + i];
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] < 0 || (i % rank < 2 && all[i] != 0)) {
      return std::nullopt;
    }
  }
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(rank),
            all.begin() + static_cast<std::ptrdiff_t>(rank) + 2);
  all.erase(all.begin(), all.begin() + 2);
  return all;
}

}  // namespace

std::size_t merge_pad(Graph& graph) {
  GraphView view(graph);
  std::size_t merged = 0;
  for (Node& conv : graph.nodes) {
    const Node* pad = conv.op == Op::kConv ? view.maker(conv.inputs[0], Op::kPad) : nullptr;
    std::string auto_pad = pad == nullptr ? "" : string_attribute(conv, "auto_pad");
    if (pad == nullptr || auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
      continue;
    }
    std::optional<std::vector<std::int64_t>> added = spatial_pads(graph, view, *pad);
    if (!added) {
      continue;
    }
    std::vector<std::int64_t> pads = ints_attribute(conv, "pads");
    pads.resize(added->size(), 0);
    for (std::size_t i = 0; i < pads.size(); ++i) {
      pads[i] = (auto_pad == "VALID" ? 0 : pads[i]) + (*added)[i];
    }
    conv.attributes.erase("auto_pad");
    conv.attributes["pads"] = pads;
    conv.inputs[0] = pad->inputs[0];
    ++merged;
  }
  return merged;
}

}  // namespace zeropoint::toolchain
