#include "parallel/split_batch.h"

#include <algorithm>
#include <cstring>

namespace zeropoint::toolchain {

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
