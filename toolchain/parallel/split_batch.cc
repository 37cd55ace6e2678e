#include "parallel/split_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "io/catch_exceptions.h"

namespace zeropoint::toolchain {

Status run_in_parts(Team& team, std::int64_t samples, const std::string& where,
                    const std::function<Status(std::size_t part, PartRange range)>& task) {
  auto parts = static_cast<int>(std::clamp<std::int64_t>(samples, 1, team.size()));
  std::vector<Status> statuses(static_cast<std::size_t>(parts));
  team.run(parts, [&](int part) {
    auto i = static_cast<std::size_t>(part);
    statuses[i] = catch_exceptions(where, [&] { return task(i, part_of(samples, part, parts)); });
  });
  for (const Status& status : statuses) {
    ZP_RETURN_IF_ERROR(status);
  }
  return {};
}

Result<Tensor> map_in_parts(
    Team& team, std::span<const Tensor> inputs, const std::string& where,
    const std::function<Result<Tensor>(std::size_t part, std::span<const Tensor> inputs)>& task) {
  ZP_ASSIGN_OR_RETURN(std::int64_t samples, samples_of(inputs));
  if (team.size() == 1 || samples <= 1) {
    return task(0, inputs);
  }
  std::vector<Tensor> outputs(static_cast<std::size_t>(std::min<std::int64_t>(samples, team.size())));
  ZP_RETURN_IF_ERROR(run_in_parts(team, samples, where, [&](std::size_t part, PartRange range) -> Status {
    ZP_ASSIGN_OR_RETURN(outputs[part], task(part, slice_batches(inputs, range)));
    return {};
  }));
  return join_batches(outputs);
}

Result<std::int64_t> samples_of(std::span<const Tensor> inputs) {
  std::optional<std::int64_t> samples;
  for (const Tensor& input : inputs) {
    std::int64_t own = input.rank() == 0 ? 0 : input.dim(0);
    if (samples.value_or(own) != own) {
      return Status::invalid_argument(fmt::format("one input has {} samples and another {}", *samples, own));
    }
    samples = own;
  }
  return samples.value_or(0);
}

std::vector<Tensor> slice_batches(std::span<const Tensor> batches, PartRange range) {
  std::vector<Tensor> parts;
  for (const Tensor& batch : batches) {
    parts.push_back(slice_batch(batch, range));
  }
  return parts;
}

Tensor slice_batch(const Tensor& batch, PartRange range) {
  Shape shape = batch.shape();
  std::size_t sample_bytes =
      batch.byte_size() / static_cast<std::size_t>(std::max<std::int64_t>(shape[0], 1));
  shape[0] = range.end - range.begin;
  Tensor part(batch.type(), std::move(shape));
  std::memcpy(part.bytes(), batch.bytes() + static_cast<std::size_t>(range.begin) * sample_bytes,
              part.byte_size());
  return part;
}

Tensor join_batches(std::span<const Tensor> parts) {
  Shape shape = parts[0].shape();
  shape[0] = 0;
  for (const Tensor& part : parts) {
    shape[0] += part.dim(0);
  }
  Tensor whole(parts[0].type(), std::move(shape));
  std::byte* to = whole.bytes();
  for (const Tensor& part : parts) {
    std::memcpy(to, part.bytes(), part.byte_size());
    to += part.byte_size();
  }
  return whole;
}

}  // namespace zeropoint::toolchain
