#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "import/pickle.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::toolchain {

/// Nesting of a checkpoint's containers, read or written.
inline constexpr std::size_t kMaxCheckpointDepth = 100;

// A few bytes of pickle can share one value a million times, or expand one element by strides of zero. What
// the values of a file of n bytes take is therefore limited to kFreeValueBytes + kMaxExpansion * n.
inline constexpr std::size_t kFreeValueBytes = std::size_t{256} << 20;
inline constexpr std::size_t kMaxExpansion = 8;

/// The bytes of the storage `key`, which stay valid during the conversion.
using StorageSource = std::function<Result<std::span<const std::byte>>(const std::string& key)>;

/// The value that `pickle` stands for, from a file of `file_size` bytes whose storages `storages` finds.
/// Errors name the value ("tensor fc1.weight: ..."): kCorrupt for views beyond their storage and cyclic
/// structures, kUnsupported for other keys than strings and integers, kResourceExhausted beyond the limits
/// above.
Result<CheckpointValue> to_checkpoint_value(const Pickle& pickle, std::size_t file_size,
                                            const StorageSource& storages);

}  // namespace zeropoint::toolchain
