#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

// The limits of a pickle. A real checkpoint spends about 25 objects and 200 bytes on each tensor.
inline constexpr std::size_t kMaxPickleBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxPickleObjects = std::size_t{1} << 21;
/// Python's own pickler cannot nest deeper than its recursion limit.
inline constexpr std::size_t kMaxPickleMarks = 1000;

/// Names an object of a Pickle: its index. Containers hold ids, not objects, so shared and cyclic structures
/// cost nothing to hold and nothing to free.
using PickleId = std::uint32_t;

/// One of the few classes and functions that a checkpoint may name.
struct PickleGlobal {
  enum class Kind : std::uint8_t { kOrderedDict, kRebuildTensor, kRebuildParameter, kSize, kStorage };
  Kind kind;
  ElementType type = ElementType::kFloat32;  ///< of the elements, for kStorage
};

/// `size` elements in the archive's record data/<key>. Nothing of it was checked.
struct PickleStorage {
  ElementType type;
  PickleId key;  ///< a string
  std::int64_t size;
};

/// A strided view of a storage, in elements. Nothing of it was checked but the kinds of the objects.
struct PickleTensor {
  PickleId storage;
  PickleId shape;    ///< a tuple
  PickleId strides;  ///< a tuple
  std::int64_t offset;
};

struct PickleSequence {
  std::vector<PickleId> items;
  bool is_tuple;
};

struct PickleDict {
  std::vector<std::pair<PickleId, PickleId>> entries;  ///< keys may repeat
  bool is_ordered_dict;
};

using PickleObject = std::variant<std::monostate, bool, std::int64_t, double, std::string, PickleGlobal,
                                  PickleStorage, PickleTensor, PickleSequence, PickleDict>;

/// The kind of an object in words: "a string", "a list".
std::string_view kind_of(const PickleObject& object);

/// Every object that a pickle made, and the one that it stands for.
struct Pickle {
  std::vector<PickleObject> objects;
  PickleId root = 0;

  /// The object `id` when it is a T, or null.
  template <typename T>
  [[nodiscard]] const T* get(PickleId id) const {
    return std::get_if<T>(&objects[id]);
  }
  /// An error beyond kMaxPickleObjects.
  Result<PickleId> add(PickleObject object);
};

/// Interprets a pickle of protocol 2 to 5 on a machine that knows how to make the objects above and nothing
/// else: it calls nothing and imports nothing. Time and memory are linear in the program's length. Errors say
/// at which byte: kCorrupt, kUnsupported for anything a checkpoint of tensors does not need, and
/// kResourceExhausted beyond the limits above.
Result<Pickle> run_pickle(std::span<const std::byte> program);

}  // namespace zeropoint::toolchain
