// Any bytes as a JPEG or PNG: as many pixels as the image says, which can be resized, or an error. Larger
// images than these few pixels go the same ways, only slower.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "zeropoint/toolchain/image.h"
#include "zeropoint/toolchain/preprocess.h"

using namespace zeropoint::toolchain;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto image = decode_image(std::as_bytes(std::span(data, size)));
  if (!image.ok()) {
    return 0;
  }
  auto pixels = static_cast<std::size_t>(image->height * image->width * image->channels);
  if (image->pixels.size() != pixels || (image->channels != 1 && image->channels != 3)) {
    std::abort();
  }
  if (pixels < 10000) {
    Preprocess how;
    how.resize = PixelSize{5, 7};
    how.interpolation = static_cast<Interpolation>(size % 5);
    how.channels = static_cast<ChannelOrder>(size % 3);
    if (!preprocess(how, *image).ok()) {
      std::abort();
    }
  }
  return 0;
}
