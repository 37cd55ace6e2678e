#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// A picture of 8 bits per channel.
struct Image {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;         ///< 1: grey, 3: red, green, blue
  std::vector<std::uint8_t> pixels;  ///< [height, width, channels]
};

/// The most pixels an image may have: 67 million, beyond what cameras make.
inline constexpr std::int64_t kMaxImagePixels = std::int64_t{1} << 26;

/// Decodes a JPEG (baseline or progressive; grey, YCbCr, RGB, CMYK, YCCK) or a PNG (any colour type and
/// depth; 16 bits are rounded to 8, an alpha channel is dropped). Orientation tags and colour profiles are
/// ignored, as the training frameworks do. kUnsupported for other formats and for more than kMaxImagePixels,
/// which is checked before memory is asked for; kCorrupt for damaged and truncated files.
Result<Image> decode_image(std::span<const std::byte> content);

/// decode_image() of the file at `path`; errors name it.
Result<Image> read_image(const std::string& path);

/// True when `content` begins as a JPEG or a PNG does.
bool looks_like_image(std::span<const std::byte> content);

}  // namespace zeropoint::toolchain
