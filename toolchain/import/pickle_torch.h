#pragma once

#include <string_view>

#include "import/pickle.h"

namespace zeropoint::toolchain {

/// The whitelist: what the pickle's global `module`.`name` stands for. Anything that is not on it is refused
/// by name.
Result<PickleGlobal> find_global(std::string_view module, std::string_view name);

/// The object that calling `function` with the tuple `arguments` stands for: an OrderedDict, a tensor, a
/// tuple.
Result<PickleId> call_global(Pickle& pickle, PickleId function, PickleId arguments);

/// The storage that torch's persistent id ("storage", type, key, location, size) stands for.
Result<PickleId> find_storage(Pickle& pickle, PickleId persistent_id);

}  // namespace zeropoint::toolchain
