#pragma once

#include <string>
#include <string_view>

namespace zeropoint::toolchain {

/// Models of ONNX's backend tests that are not computed here, and why.
struct BackendException {
  std::string_view prefix;  ///< of the model's name
  std::string_view reason;
};

inline constexpr BackendException kBackendExceptions[] = {
    {"test_nothing", ""},
};

/// The exception that names a model; nullptr where there is none.
inline const BackendException* find_exception(const std::string& model) {
  for (const BackendException& exception : kBackendExceptions) {
    if (model.starts_with(exception.prefix)) {
      return &exception;
    }
  }
  return nullptr;
}

}  // namespace zeropoint::toolchain
