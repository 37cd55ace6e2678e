#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

struct LabelledFile {
  std::string file;
  std::int64_t label = -1;
};

/// A list of files and their labels, comma-separated (RFC 4180). The first line may name the columns: then
/// "file" (also "filename", "image", "path") and "label" (also "class", "target") are read and others are
/// not; without it there are these two. kCorrupt names the line: another number of fields, a label that is no
/// whole number from 0 on, an open quote.
Result<std::vector<LabelledFile>> parse_labels_csv(std::string_view text);

}  // namespace zeropoint::toolchain
