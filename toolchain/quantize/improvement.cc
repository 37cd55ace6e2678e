#include "quantize/improvement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::toolchain {

std::span<const Improvement> improvements() {
  // One line per improvement: name, what it does, whether it needs samples, before or after planning.
  return {};
}

Result<std::vector<const Improvement*>> improvements_of(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  std::vector<const Improvement*> found;
  for (const Improvement& improvement : improvements()) {
    known.emplace_back(improvement.name);
    if (std::find(names.begin(), names.end(), improvement.name) != names.end()) {
      found.push_back(&improvement);
    }
  }
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string guess = nearest(name, known);
      return Status::invalid_argument(fmt::format("there is no improvement '{}'; {}", name,
                                                  guess.empty()
                                                      ? fmt::format("there are: {}", fmt::join(known, ", "))
                                                      : fmt::format("did you mean '{}'?", guess)));
    }
  }
  return found;
}

}  // namespace zeropoint::toolchain
