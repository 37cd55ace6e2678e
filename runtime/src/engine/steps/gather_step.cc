#include "engine/steps/gather_step.h"

#include <cstring>

namespace zeropoint::engine {

Status GatherStep::run(const RunContext& context) {
  const std::byte* source = context.at(from);
  std::byte* target = context.at(to);
  for (std::int64_t o = 0; o < outer; ++o, source += extent * inner) {
    for (std::int64_t i = 0; i < count; ++i, target += inner) {
      std::int64_t index = index_type == ElementType::kInt64
                               ? reinterpret_cast<const std::int64_t*>(context.at(indices))[i]
                               : reinterpret_cast<const std::int32_t*>(context.at(indices))[i];
      index += index < 0 ? extent : 0;
      if (index < 0 || index >= extent) {
        return Status::invalid_argument("'", profile.name, "': an index is outside of [-", extent, ", ",
                                        extent - 1, "]");
      }
      std::memcpy(target, source + index * inner, static_cast<std::size_t>(inner));
    }
  }
  return {};
}

}  // namespace zeropoint::engine
