#pragma once

#include <cstddef>
#include <span>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/image.h"

namespace zeropoint::toolchain {

// What decode_image() chooses from.
Result<Image> decode_jpeg(std::span<const std::byte> content);
Result<Image> decode_png(std::span<const std::byte> content);

/// kUnsupported when a header's extents are not positive or more than kMaxImagePixels.
Status check_image_size(std::uint64_t width, std::uint64_t height);

}  // namespace zeropoint::toolchain
