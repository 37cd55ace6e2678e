#include "zeropoint/toolchain/preprocess.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "data/boundary.h"
#include "data/preprocess_words.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::int64_t kMaxSide = 16384;

Status check_size(const char* key, PixelSize size) {
  for (std::int64_t side : {size.height, size.width}) {
    if (side < 1 || side > kMaxSide) {
      return Status::invalid_argument(
          fmt::format("preprocessing: {} {} is not between 1 and {} pixels", key, side, kMaxSide));
    }
  }
  return {};
}

/// ITU-R BT.601 luma, in integers as Pillow takes it.
std::uint8_t luma(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 0x8000U) >> 16);
}

Image with_channels(const Image& image, std::int64_t channels) {
  if (image.channels == channels) {
    return image;
  }
  Image result{image.height, image.width, channels, {}};
  auto count = static_cast<std::size_t>(image.height * image.width);
  result.pixels.resize(count * static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < count; ++i) {
    if (channels == 1) {
      result.pixels[i] = luma(image.pixels.data() + 3 * i);
    } else {
      std::fill_n(result.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, image.pixels[i]);
    }
  }
  return result;
}

PixelSize resized(const Preprocess& how, PixelSize image) {
  if (how.resize) {
    return *how.resize;
  }
  if (!how.shorter_side) {
    return image;
  }
  std::int64_t side = *how.shorter_side;
  return image.height <= image.width ? PixelSize{side, side * image.width / image.height}
                                     : PixelSize{side * image.height / image.width, side};
}

/// Half of what is cut away, a half pixel going to the even side, as Python's round() does for torchvision.
std::int64_t crop_start(std::int64_t size, std::int64_t crop) {
  std::int64_t rest = size - crop;
  return rest / 2 + (rest % 2 == 1 && (rest / 2) % 2 == 1 ? 1 : 0);
}

}  // namespace

Status Preprocess::validate() const {
  if (shorter_side) {
    ZP_RETURN_IF_ERROR(check_size("resize", {*shorter_side, *shorter_side}));
  }
  if (resize) {
    ZP_RETURN_IF_ERROR(check_size("resize", *resize));
  }
  if (crop) {
    ZP_RETURN_IF_ERROR(check_size("crop", *crop));
  }
  if (shorter_side && resize) {
    return Status::invalid_argument("preprocessing: resize is said twice, for the shorter side and for both");
  }
  return {};
}

std::string Preprocess::to_string() const {
  std::string text;
  auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (shorter_side) {
    add(fmt::format("shorter side {} ({})", *shorter_side, word_of(interpolation)));
  }
  if (resize) {
    add(fmt::format("resize {}x{} ({})", resize->height, resize->width, word_of(interpolation)));
  }
  if (crop) {
    add(fmt::format("crop {}x{}", crop->height, crop->width));
  }
  if (channels) {
    add(std::string(word_of(*channels)));
  }
  add(transform.steps.empty() ? "x" : transform.to_string());
  add(std::string(word_of(layout)));
  return text;
}

Result<PixelSize> size_after(const Preprocess& how, PixelSize image) {
  PixelSize size = resized(how, image);
  if (how.crop && (how.crop->height > size.height || how.crop->width > size.width)) {
    return Status::invalid_argument(
        fmt::format("the image is {}x{} where {}x{} are to be cropped; resize it first", size.height,
                    size.width, how.crop->height, how.crop->width));
  }
  return how.crop.value_or(size);
}

std::int64_t channels_after(const Preprocess& how, std::int64_t channels) {
  return !how.channels ? channels : (*how.channels == ChannelOrder::kGrey ? 1 : 3);
}

Shape shape_after(const Preprocess& how, std::int64_t channels, PixelSize size) {
  return how.layout == Layout::kNchw ? Shape{channels, size.height, size.width}
                                     : Shape{size.height, size.width, channels};
}

Result<std::vector<float>> preprocess(const Preprocess& how, const Image& image) {
  return without_exceptions("preprocessing", [&]() -> Result<std::vector<float>> {
    ZP_RETURN_IF_ERROR(how.validate());
    std::int64_t channels = channels_after(how, image.channels);
    ZP_RETURN_IF_ERROR(how.transform.validate(channels));
    PixelSize before{image.height, image.width};
    ZP_ASSIGN_OR_RETURN(PixelSize after, size_after(how, before));
    PixelSize whole = resized(how, before);
    ZP_ASSIGN_OR_RETURN(Image pixels,
                        toolchain::resize(with_channels(image, channels), whole, how.interpolation));
    std::int64_t top = crop_start(whole.height, after.height);
    std::int64_t left = crop_start(whole.width, after.width);
    bool reversed = how.channels == ChannelOrder::kBgr;
    std::vector<float> planes(static_cast<std::size_t>(channels * after.height * after.width));
    auto out = planes.begin();
    for (std::int64_t c = 0; c < channels; ++c) {
      std::int64_t from = reversed ? channels - 1 - c : c;
      for (std::int64_t y = 0; y < after.height; ++y) {
        const std::uint8_t* row = pixels.pixels.data() + ((y + top) * whole.width + left) * channels + from;
        for (std::int64_t x = 0; x < after.width; ++x) {
          *out++ = static_cast<float>(row[x * channels]);
        }
      }
    }
    how.transform.apply(planes, channels);
    if (how.layout == Layout::kNchw) {
      return planes;
    }
    std::size_t count = planes.size() / static_cast<std::size_t>(channels);
    std::vector<float> interleaved(planes.size());
    for (std::size_t i = 0; i < planes.size(); ++i) {
      interleaved[i % count * static_cast<std::size_t>(channels) + i / count] = planes[i];
    }
    return interleaved;
  });
}

}  // namespace zeropoint::toolchain
