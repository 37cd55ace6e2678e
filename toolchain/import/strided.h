#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// A view of a storage as PyTorch describes it: element (i0, i1, ...) stands at offset + Σ i·stride.
struct StridedView {
  ElementType type = ElementType::kFloat32;
  std::int64_t offset = 0;
  Shape shape;
  Shape strides;
};

/// Checks that every element of `view` lies in a storage of `storage_size` elements (kCorrupt), and returns
/// the number of elements.
Result<std::int64_t> check_view(const StridedView& view, std::int64_t storage_size);

/// The elements of `view`, which was checked against a storage that `storage` holds, in row-major order.
Tensor gather(const StridedView& view, std::span<const std::byte> storage);

}  // namespace zeropoint::toolchain
