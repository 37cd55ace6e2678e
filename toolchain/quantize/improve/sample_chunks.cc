#include "quantize/improve/sample_chunks.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "parallel/split_batch.h"
#include "zeropoint/toolchain/float_executor.h"

namespace zeropoint::toolchain {
namespace {

/// Samples per chunk where the graph takes any number: few enough to give each core some, but no more than
/// are worth a batch.
std::int64_t samples_per_chunk(std::int64_t samples) {
  constexpr std::int64_t kChunks = 16;
  return std::clamp<std::int64_t>(samples / kChunks, 1, 16);
}

Result<std::vector<Tensor>> load(const Dataset& data, std::int64_t samples, std::int64_t chunk) {
  std::vector<Tensor> chunks;
  for (std::int64_t begin = 0; begin < samples; begin += chunk) {
    Shape shape = data.sample_shape();
    shape.insert(shape.begin(), std::min(chunk, samples - begin));
    Tensor tensor(data.element_type(), std::move(shape));
    std::size_t bytes = tensor.byte_size() / static_cast<std::size_t>(tensor.dim(0));
    for (std::int64_t i = 0; i < tensor.dim(0); ++i) {
      ZP_RETURN_IF_ERROR(
          data.read_bytes(begin + i, {tensor.bytes() + static_cast<std::size_t>(i) * bytes, bytes}));
    }
    chunks.push_back(std::move(tensor));
  }
  return chunks;
}

}  // namespace

Result<SampleChunks> load_chunks(const Graph& graph, std::span<const std::shared_ptr<const Dataset>> data,
                                 std::int64_t limit) {
  if (data.empty() || data.size() != graph.inputs.size()) {
    return Status::invalid_argument(fmt::format("the graph has {} inputs, and there are samples for {}",
                                                graph.inputs.size(), data.size()));
  }
  std::int64_t fixed = fixed_batch(graph).value_or(0);
  SampleChunks chunks;
  chunks.samples = limit > 0 ? std::min(limit, data[0]->size()) : data[0]->size();
  if (fixed > 0) {
    chunks.samples -= chunks.samples % fixed;
  }
  if (chunks.samples == 0) {
    return Status::invalid_argument("there are no samples in: " + data[0]->description());
  }
  for (const std::shared_ptr<const Dataset>& input : data) {
    if (input->size() < chunks.samples) {
      return Status::invalid_argument(fmt::format("{} has {} samples, and another input {}",
                                                  input->description(), input->size(), chunks.samples));
    }
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> loaded,
                        load(*input, chunks.samples, fixed > 0 ? fixed : samples_per_chunk(chunks.samples)));
    chunks.inputs.push_back(std::move(loaded));
  }
  return chunks;
}

Status run_chunks(const Graph& graph, std::span<const std::vector<Tensor>* const> inputs,
                  const std::vector<ValueId>& wanted, Team& team, const SeeChunk& see) {
  auto run = [&](PartRange chunks) -> Status {
    ZP_ASSIGN_OR_RETURN(FloatExecutor executor, FloatExecutor::create(graph, {1}));
    for (auto chunk = static_cast<std::size_t>(chunks.begin); chunk < static_cast<std::size_t>(chunks.end);
         ++chunk) {
      std::vector<Tensor> batch;
      batch.reserve(inputs.size());
      for (const std::vector<Tensor>* input : inputs) {
        batch.push_back((*input)[chunk]);
      }
      ValueObserver observer{[&](ValueId id, const Tensor& tensor) { return see(chunk, id, tensor); },
                             wanted};
      ZP_RETURN_IF_ERROR(executor.run(batch, observer).status());
    }
    return {};
  };
  std::int64_t count = inputs.empty() ? 0 : static_cast<std::int64_t>(inputs[0]->size());
  return run_in_parts(team, count, "improvement",
                      [&](std::size_t /*part*/, PartRange chunks) { return run(chunks); });
}

}  // namespace zeropoint::toolchain
