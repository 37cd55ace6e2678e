#include "zeropoint/toolchain/reference_model.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "zeropoint/reference.h"

namespace zeropoint::toolchain {
namespace {

/// Samples [begin, end) of a batch.
Tensor slice(const Tensor& batch, std::int64_t begin, std::int64_t end) {
  Shape shape = batch.shape();
  std::size_t sample_bytes =
      batch.byte_size() / static_cast<std::size_t>(std::max<std::int64_t>(shape[0], 1));
  shape[0] = end - begin;
  Tensor part(batch.type(), std::move(shape));
  std::memcpy(part.bytes(), batch.bytes() + static_cast<std::size_t>(begin) * sample_bytes, part.byte_size());
  return part;
}

Tensor joined(const std::vector<Tensor>& parts) {
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

Result<Tensor> run_one(const Program& program, const Tensor& inputs) {
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, run_reference(program, std::span(&inputs, 1)));
  return std::move(outputs[0]);
}

Result<Tensor> run_in_parts(const Program& program, const Tensor& inputs, std::int64_t parts) {
  std::int64_t samples = inputs.rank() == 0 ? 0 : inputs.dim(0);
  parts = std::clamp<std::int64_t>(parts, 1, std::max<std::int64_t>(samples, 1));
  if (parts == 1) {
    return run_one(program, inputs);
  }
  std::vector<Status> failures(static_cast<std::size_t>(parts));
  std::vector<Tensor> outputs(static_cast<std::size_t>(parts));
  std::vector<std::thread> threads;
  for (std::int64_t i = 0; i < parts; ++i) {
    threads.emplace_back([&, i] {
      Result<Tensor> output = run_one(program, slice(inputs, samples * i / parts, samples * (i + 1) / parts));
      failures[static_cast<std::size_t>(i)] = output.status();
      if (output.ok()) {
        outputs[static_cast<std::size_t>(i)] = *std::move(output);
      }
    });
  }
  std::for_each(threads.begin(), threads.end(), [](std::thread& thread) { thread.join(); });
  for (const Status& failure : failures) {
    ZP_RETURN_IF_ERROR(failure);
  }
  return joined(outputs);
}

}  // namespace

Model reference_model(std::shared_ptr<const Program> program, int threads) {
  std::int64_t parts = threads > 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
  return [program = std::move(program), parts](const Tensor& inputs) -> Result<Tensor> {
    if (program->inputs.size() != 1 || program->outputs.size() != 1) {
      return Status::unsupported("evaluation needs a program with one input and one output");
    }
    return run_in_parts(*program, inputs, parts);
  };
}

}  // namespace zeropoint::toolchain
