#include "quantize/improve/channel_ranges.h"

#include <algorithm>

namespace zeropoint::toolchain {
namespace {

void widen(std::vector<RealRange>& ranges, const std::vector<RealRange>& others) {
  ranges.resize(others.size());
  for (std::size_t c = 0; c < others.size(); ++c) {
    ranges[c] = {std::min(ranges[c].r_min, others[c].r_min), std::max(ranges[c].r_max, others[c].r_max)};
  }
}

}  // namespace

Result<std::map<ValueId, std::vector<RealRange>>> channel_ranges(const Graph& graph,
                                                                 const std::vector<ChannelAxis>& tensors,
                                                                 const SampleChunks& samples, Team& team) {
  std::vector<ValueId> wanted;
  std::map<ValueId, std::int64_t> axes;
  std::map<ValueId, std::vector<std::vector<RealRange>>> chunks;
  for (const ChannelAxis& tensor : tensors) {
    wanted.push_back(tensor.value);
    axes[tensor.value] = tensor.axis;
    chunks[tensor.value].resize(samples.count());
  }
  std::map<ValueId, std::vector<RealRange>> ranges;
  if (wanted.empty()) {
    return ranges;
  }
  std::vector<const std::vector<Tensor>*> inputs;
  for (const std::vector<Tensor>& input : samples.inputs) {
    inputs.push_back(&input);
  }
  ZP_RETURN_IF_ERROR(run_chunks(graph, inputs, wanted, team,
                                [&](std::size_t chunk, ValueId value, const Tensor& tensor) -> Status {
                                  std::int64_t axis = axes.at(value);
                                  axis = axis < 0 ? axis + tensor.rank() : axis;
                                  ZP_ASSIGN_OR_RETURN(chunks.at(value)[chunk],
                                                      ranges_of(tensor, Granularity::per_channel(axis)));
                                  return {};
                                }));
  for (const auto& [value, parts] : chunks) {
    for (const std::vector<RealRange>& part : parts) {
      widen(ranges[value], part);
    }
  }
  return ranges;
}

}  // namespace zeropoint::toolchain
