#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "zeropoint/status.h"

namespace zeropoint::cli {

/// "NAME=FILE" of the command line, taken apart.
struct Assignment {
  std::size_t index;  ///< of the name
  std::string file;
};

/// The longest of `names` that `text` begins with before a '=' (names may hold '=' too); "FILE" alone where
/// there is one name. kInvalidArgument for another name (with the nearest one) or none; `what` is the option
/// without its dashes.
Result<Assignment> parse_assignment(const std::string& text, const std::vector<std::string>& names,
                                    const char* what);

}  // namespace zeropoint::cli
