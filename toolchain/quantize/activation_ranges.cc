#include "quantize/activation_ranges.h"

#include <fmt/format.h>

#include <algorithm>

namespace zeropoint::toolchain {

const Node* computer_of(const Graph& graph, const IntegerFlow& flow, const std::vector<std::int32_t>& made_by,
                        ValueId id) {
  std::int32_t maker = made_by[static_cast<std::size_t>(id)];
  while (maker >= 0 && flow.absorbed[static_cast<std::size_t>(maker)]) {
    maker = made_by[static_cast<std::size_t>(graph.nodes[static_cast<std::size_t>(maker)].inputs[0])];
  }
  return maker < 0 ? nullptr : &graph.nodes[static_cast<std::size_t>(maker)];
}

ActivationRanges::ActivationRanges(const Graph& graph, const IntegerFlow& flow, const RangeTable& ranges)
    : graph_(graph), flow_(flow), ranges_(ranges), producers_(producers(graph)) {
  std::vector<std::vector<std::int32_t>> readers = consumers(graph);
  for (const Node& node : graph.nodes) {
    if (std::optional<AttentionMask> mask = attention_mask(graph, node, readers)) {
      for (ValueId id : mask->mask) {
        masks_[id].push_back(*mask);
      }
      for (ValueId id : mask->masked) {
        masks_[id].push_back(*mask);
      }
    }
  }
}

Result<RealRange> ActivationRanges::of(ValueId id) const {
  auto masked = masks_.find(id);
  if (masked == masks_.end()) {
    return own(id);
  }
  RealRange range;
  for (const AttentionMask& mask : masked->second) {
    ZP_ASSIGN_OR_RETURN(RealRange scores, own(mask.scores));
    bool is_mask = std::find(mask.mask.begin(), mask.mask.end(), id) != mask.mask.end();
    RealRange part = is_mask ? mask_range(mask, scores) : masked_range(mask, scores);
    range = {std::min(range.r_min, part.r_min), std::max(range.r_max, part.r_max)};
  }
  return range;
}

Result<RealRange> ActivationRanges::own(ValueId id) const {
  const Value& value = graph_.value(id);
  if (value.constant != nullptr) {
    Result<std::vector<RealRange>> ranges = ranges_of(*value.constant, Granularity::per_tensor());
    ZP_RETURN_IF_ERROR(ranges.status().at("tensor '" + value.name + "'"));
    return (*ranges)[0];
  }
  std::int32_t maker = producers_[static_cast<std::size_t>(id)];
  if (maker >= 0 && graph_.nodes[static_cast<std::size_t>(maker)].op == Op::kSoftmax) {
    return RealRange{0, 1};
  }
  auto found = ranges_.ranges.find(value.name);
  if (found == ranges_.ranges.end()) {
    return Status::not_found(
        fmt::format("{}: calibration has no range for tensor '{}'",
                    maker < 0 ? "input" : describe(*computer_of(graph_, flow_, producers_, id)), value.name));
  }
  return found->second;
}

}  // namespace zeropoint::toolchain
