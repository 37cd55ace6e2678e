#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// The SHA-256 of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::span<const std::byte> piece);
  /// 64 hexadecimal digits. kInternal where the library failed. Call once.
  Result<std::string> digest();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace zeropoint::toolchain
