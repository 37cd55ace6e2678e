#include "import/strided.h"

#include <fmt/format.h>

#include <cstring>

namespace zeropoint::toolchain {
namespace {

/// PyTorch's own limit.
constexpr std::size_t kMaxRank = 64;

bool is_row_major(const StridedView& view) {
  std::int64_t expected = 1;
  for (std::size_t axis = view.shape.size(); axis-- > 0;) {
    if (view.shape[axis] != 1 && view.strides[axis] != expected) {
      return false;
    }
    expected *= view.shape[axis];
  }
  return true;
}

/// Walks all axes but the last like an odometer, and copies the last in a loop.
template <typename Element>
void gather_elements(const StridedView& view, std::span<const std::byte> storage, Tensor& result) {
  std::size_t rank = view.shape.size();
  // The stride of an axis of one element is never used and may be anything.
  Shape strides = view.strides;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    strides[axis] = view.shape[axis] == 1 ? 0 : strides[axis];
  }
  std::int64_t row_size = view.shape[rank - 1];
  std::int64_t row_stride = strides[rank - 1];
  Shape index(rank, 0);
  std::int64_t source = view.offset;
  std::byte* to = result.bytes();
  for (std::int64_t row = 0; row < result.size() / row_size; ++row) {
    for (std::int64_t i = 0; i < row_size; ++i) {
      std::size_t from = static_cast<std::size_t>(source + i * row_stride) * sizeof(Element);
      std::memcpy(to, storage.data() + from, sizeof(Element));
      to += sizeof(Element);
    }
    for (std::size_t axis = rank - 1; axis-- > 0;) {
      source += strides[axis];
      if (++index[axis] < view.shape[axis]) {
        break;
      }
      source -= strides[axis] * view.shape[axis];
      index[axis] = 0;
    }
  }
}

}  // namespace

Result<std::int64_t> check_view(const StridedView& view, std::int64_t storage_size) {
  if (view.shape.size() != view.strides.size() || view.shape.size() > kMaxRank) {
    return Status::corrupt(fmt::format("{} extents and {} strides; they must be equally many, at most {}",
                                       view.shape.size(), view.strides.size(), kMaxRank));
  }
  Result<std::int64_t> count = element_count(view.shape);
  if (!count.ok()) {
    return Status::corrupt(count.status().message());
  }
  if (view.offset < 0) {
    return Status::corrupt(fmt::format("negative offset {}", view.offset));
  }
  std::int64_t last = view.offset;
  bool overflows = false;
  for (std::size_t axis = 0; axis < view.shape.size(); ++axis) {
    if (view.strides[axis] < 0) {
      return Status::corrupt(fmt::format("negative stride in {}", to_string(view.strides)));
    }
    std::int64_t step = 0;
    overflows = overflows || __builtin_mul_overflow(view.shape[axis] - 1, view.strides[axis], &step) ||
                __builtin_add_overflow(last, step, &last);
  }
  if (*count != 0 && (overflows || last >= storage_size)) {
    return Status::corrupt(
        fmt::format("shape {} with strides {} at offset {} reaches beyond its storage of {} elements",
                    to_string(view.shape), to_string(view.strides), view.offset, storage_size));
  }
  return *count;
}

Tensor gather(const StridedView& view, std::span<const std::byte> storage) {
  Tensor result(view.type, view.shape);
  if (result.size() == 0) {
    return result;
  }
  if (is_row_major(view)) {
    std::size_t start = static_cast<std::size_t>(view.offset) * size_of(view.type);
    std::memcpy(result.bytes(), storage.data() + start, result.byte_size());
    return result;
  }
  switch (size_of(view.type)) {
    case 1:
      gather_elements<std::uint8_t>(view, storage, result);
      break;
    case 2:
      gather_elements<std::uint16_t>(view, storage, result);
      break;
    case 4:
      gather_elements<std::uint32_t>(view, storage, result);
      break;
    default:
      gather_elements<std::uint64_t>(view, storage, result);
      break;
  }
  return result;
}

}  // namespace zeropoint::toolchain
