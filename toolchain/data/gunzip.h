#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// Inflates a gzip stream held in memory piece by piece, so that nothing larger than asked for is ever made.
class Gunzip {
 public:
  /// `content` must outlive this object.
  explicit Gunzip(std::span<const std::byte> content);
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;
  ~Gunzip();

  /// True when `content` begins as gzip does.
  static bool recognises(std::span<const std::byte> content);

  /// Fills `out`. kCorrupt when the stream is damaged or ends first.
  Status read(std::span<std::uint8_t> out);
  /// kCorrupt unless the stream ends here, its checksum is right and nothing follows it.
  Status finish();

 private:
  /// Inflates into `out` until it is full or the stream has ended; tells how many bytes were written.
  Result<std::size_t> inflate_into(std::span<std::uint8_t> out);

  std::span<const std::byte> rest_;
  z_stream stream_{};
  bool ready_ = false;
  bool ended_ = false;
};

}  // namespace zeropoint::toolchain
