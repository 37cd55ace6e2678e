#include "assignment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::cli {

Result<Assignment> parse_assignment(const std::string& text, const std::vector<std::string>& names,
                                    const char* what) {
  std::optional<Assignment> found;
  std::size_t length = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text.starts_with(names[i] + "=") && (!found || names[i].size() > length)) {
      found = Assignment{i, text.substr(names[i].size() + 1)};
      length = names[i].size();
    }
  }
  if (found) {
    return *found;
  }
  std::size_t equals = text.find('=');
  if (equals == std::string::npos && names.size() == 1) {
    return Assignment{0, text};
  }
  if (equals == std::string::npos) {
    return Status::invalid_argument(
        fmt::format("--{0} {1}: write NAME=FILE; the {0}s are {2}", what, text, fmt::join(names, ", ")));
  }
  std::string guess = toolchain::nearest(text.substr(0, equals), names);
  return Status::invalid_argument(fmt::format(
      "the model has no {} '{}'; {}", what, text.substr(0, equals),
      guess.empty() ? fmt::format("it has {}", fmt::join(names, ", ")) : "did you mean " + guess + "?"));
}

}  // namespace zeropoint::cli
