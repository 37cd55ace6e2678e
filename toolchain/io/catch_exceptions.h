#pragma once

#include <exception>
#include <new>
#include <string>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// function(), which returns a Status or a Result; an exception that escapes it becomes a Status that starts
/// with `where`. Stands at the boundary of the library, where exceptions end.
template <typename Function>
auto catch_exceptions(const std::string& where, Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return Status::resource_exhausted(where + ": not enough memory");
  } catch (const std::exception& error) {
    return Status::internal(where + ": " + error.what());
  }
}

}  // namespace zeropoint::toolchain
