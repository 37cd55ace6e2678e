#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "parallel/team.h"
#include "zeropoint/status.h"
#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Samples in memory, cut into batches whose size depends on the graph and their number alone: what is summed
/// per chunk, and over the chunks in order, has the same bits for any number of threads.
struct SampleChunks {
  std::vector<std::vector<Tensor>> inputs;  ///< per input of the graph: a tensor per chunk
  std::int64_t samples = 0;

  [[nodiscard]] std::size_t count() const { return inputs.empty() ? 0 : inputs[0].size(); }
};

/// The first `limit` samples (0: all) of one data set per input of the graph. kInvalidArgument where there
/// are none, or not as many data sets as inputs; otherwise errors of reading.
Result<SampleChunks> load_chunks(const Graph& graph, std::span<const std::shared_ptr<const Dataset>> data,
                                 std::int64_t limit = 0);

/// Sees a value of a graph for one chunk. Called from several threads, for each chunk and value once.
using SeeChunk = std::function<Status(std::size_t chunk, ValueId value, const Tensor& tensor)>;

/// Runs `graph` for each chunk, `inputs` having one list of chunks per input, and shows it the values
/// `wanted`, which may lie anywhere in the graph.
Status run_chunks(const Graph& graph, std::span<const std::vector<Tensor>* const> inputs,
                  const std::vector<ValueId>& wanted, Team& team, const SeeChunk& see);

}  // namespace zeropoint::toolchain
