#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "parallel/team.h"
#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// Part `part` of `parts` of the numbers [0, count): [begin, end), equal up to one.
struct PartRange {
  std::int64_t begin;
  std::int64_t end;
};
inline PartRange part_of(std::int64_t count, int part, int parts) {
  return {count * part / parts, count * (part + 1) / parts};
}

/// Cuts `samples` samples into one part per member of the team, or per sample where these are fewer, and
/// calls task(part, range) for each on its member. Gives the failure of the first part that failed;
/// exceptions become one that starts with `where`.
Status run_in_parts(Team& team, std::int64_t samples, const std::string& where,
                    const std::function<Status(std::size_t part, PartRange range)>& task);

/// The same for a task that takes a part of each of `inputs` and gives one tensor, with the samples as its
/// first axis: all of them joined. kInvalidArgument when the inputs do not have the same number of samples.
Result<Tensor> map_in_parts(
    Team& team, std::span<const Tensor> inputs, const std::string& where,
    const std::function<Result<Tensor>(std::size_t part, std::span<const Tensor> inputs)>& task);

/// The first extent that all inputs have, the number of samples; kInvalidArgument when they differ.
Result<std::int64_t> samples_of(std::span<const Tensor> inputs);

/// Samples [begin, end) of a batch, copied.
Tensor slice_batch(const Tensor& batch, PartRange range);
/// The same of the batch of each input.
std::vector<Tensor> slice_batches(std::span<const Tensor> batches, PartRange range);

/// Batches of one type and sample shape, one after another. There must be at least one.
Tensor join_batches(std::span<const Tensor> parts);

}  // namespace zeropoint::toolchain
