#pragma once

#include <array>
#include <bit>
#include <string_view>

#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

// Records are little-endian and are copied to and from tensors as they are.
static_assert(std::endian::native == std::endian::little, "checkpoints need a little-endian machine");

struct TorchStorage {
  std::string_view name;  ///< of the class in the module torch
  ElementType type;
};

/// The storage classes of PyTorch that have an element type here.
inline constexpr std::array<TorchStorage, 10> kTorchStorages = {{
    {"FloatStorage", ElementType::kFloat32},
    {"HalfStorage", ElementType::kFloat16},
    {"BFloat16Storage", ElementType::kBFloat16},
    {"DoubleStorage", ElementType::kFloat64},
    {"CharStorage", ElementType::kInt8},
    {"ByteStorage", ElementType::kUint8},
    {"ShortStorage", ElementType::kInt16},
    {"IntStorage", ElementType::kInt32},
    {"LongStorage", ElementType::kInt64},
    {"BoolStorage", ElementType::kBool},
}};

}  // namespace zeropoint::toolchain
