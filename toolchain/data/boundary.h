#pragma once

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// The result of `function`, which returns a Status or a Result, or the Status of the exception it ended
/// with. `what` names the work in the message.
template <typename Function>
auto without_exceptions(const char* what, Function&& function) -> std::invoke_result_t<Function> {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return Status::resource_exhausted(std::string(what) + ": not enough memory");
  } catch (const std::length_error&) {
    return Status::resource_exhausted(std::string(what) + ": more than can be held in memory");
  } catch (const std::exception& error) {
    return Status::internal(std::string(what) + ": " + error.what());
  }
}

}  // namespace zeropoint::toolchain
