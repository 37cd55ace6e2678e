#pragma once

#include "format/read_values.h"

namespace zeropoint::format {

/// Of use when reader.status() is ok afterwards; verify() of the program checks what ids and numbers mean.
Operation read_operation(ValueReader& reader, const zpm::Operation* operation);

}  // namespace zeropoint::format
