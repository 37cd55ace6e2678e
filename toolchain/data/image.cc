#include "zeropoint/toolchain/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "data/boundary.h"
#include "data/image_formats.h"
#include "zeropoint/toolchain/file.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::array<unsigned char, 3> kJpegStart = {0xff, 0xd8, 0xff};
constexpr std::array<unsigned char, 8> kPngStart = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

template <std::size_t kSize>
bool begins_with(std::span<const std::byte> content, const std::array<unsigned char, kSize>& start) {
  return content.size() >= kSize &&
         std::equal(start.begin(), start.end(), content.begin(),
                    [](unsigned char a, std::byte b) { return std::byte{a} == b; });
}

}  // namespace

Status check_image_size(std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0 || width > static_cast<std::uint64_t>(kMaxImagePixels) / height) {
    return Status::unsupported(
        fmt::format("the image is {} x {} pixels; 1 to {} are read", width, height, kMaxImagePixels));
  }
  return {};
}

bool looks_like_image(std::span<const std::byte> content) {
  return begins_with(content, kJpegStart) || begins_with(content, kPngStart);
}

Result<Image> decode_image(std::span<const std::byte> content) {
  return without_exceptions("image", [&]() -> Result<Image> {
    if (begins_with(content, kJpegStart)) {
      return decode_jpeg(content);
    }
    if (begins_with(content, kPngStart)) {
      return decode_png(content);
    }
    return Status::unsupported("neither a JPEG nor a PNG image");
  });
}

Result<Image> read_image(const std::string& path) {
  return without_exceptions(path.c_str(), [&]() -> Result<Image> {
    ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, read_file(path));
    Result<Image> image = decode_image(content);
    return image.ok() ? std::move(image) : image.status().at(path);
  });
}

}  // namespace zeropoint::toolchain
