// Separable resampling of 8-bit images: each new pixel is a weighted sum of old ones, along rows first, then
// along columns, each pass rounded to 8 bits. Weights are integers of 22 fractional bits, so that the result
// is the same on every machine and, for the antialiased kinds, the one of Pillow (libImaging/Resample.c),
// which most training pipelines resize with.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/boundary.h"
#include "zeropoint/toolchain/preprocess.h"

namespace zeropoint::toolchain {
namespace {

constexpr int kWeightBits = 22;

/// What one new pixel is made of: `weights[k]` of old pixel `first + k`.
struct Tap {
  std::int64_t first = 0;
  std::vector<std::int32_t> weights;
};

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

/// Keys' cubic with a = -0.5.
double cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1) {
    return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  }
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * kA : 0;
}

std::vector<double> kernel_weights(Interpolation kind, double scale, double centre, std::int64_t first,
                                   std::int64_t last) {
  double stretch = kind == Interpolation::kBilinear ? 1.0 : std::max(scale, 1.0);
  double inverse = 1.0 / stretch;
  std::vector<double> weights;
  for (std::int64_t x = first; x < last; ++x) {
    double distance = (static_cast<double>(x) - centre + 0.5) * inverse;
    weights.push_back(kind == Interpolation::kBicubicAntialias ? cubic(distance) : triangle(distance));
  }
  return weights;
}

/// Weights are the covered parts of each old pixel.
std::vector<double> area_weights(double begin, double end, std::int64_t first, std::int64_t last) {
  std::vector<double> weights;
  for (std::int64_t x = first; x < last; ++x) {
    double from = std::max(begin, static_cast<double>(x));
    double to = std::min(end, static_cast<double>(x) + 1);
    weights.push_back(std::max(0.0, to - from));
  }
  return weights;
}

Tap make_tap(Interpolation kind, std::int64_t position, std::int64_t old_size, std::int64_t new_size) {
  double scale = static_cast<double>(old_size) / static_cast<double>(new_size);
  double centre = (static_cast<double>(position) + 0.5) * scale;
  if (kind == Interpolation::kNearest) {
    return {(2 * position + 1) * old_size / (2 * new_size), {1 << kWeightBits}};
  }
  Tap tap;
  std::vector<double> weights;
  // Growing, an area is a part of one or two pixels: the same formula.
  if (kind == Interpolation::kArea) {
    double begin = static_cast<double>(position) * scale;
    double end = static_cast<double>(position + 1) * scale;
    tap.first = std::min(static_cast<std::int64_t>(begin), old_size - 1);
    std::int64_t last = std::clamp(static_cast<std::int64_t>(std::ceil(end)), tap.first + 1, old_size);
    weights = area_weights(begin, end, tap.first, last);
  } else {
    double reach = (kind == Interpolation::kBicubicAntialias ? 2.0 : 1.0) *
                   (kind == Interpolation::kBilinear ? 1.0 : std::max(scale, 1.0));
    tap.first = std::max<std::int64_t>(static_cast<std::int64_t>(centre - reach + 0.5), 0);
    std::int64_t last = std::min(static_cast<std::int64_t>(centre + reach + 0.5), old_size);
    weights = kernel_weights(kind, scale, centre, tap.first, last);
  }
  double sum = 0;
  for (double weight : weights) {
    sum += weight;
  }
  for (double weight : weights) {
    double fixed = (sum == 0 ? weight : weight / sum) * (1 << kWeightBits);
    tap.weights.push_back(static_cast<std::int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
  }
  return tap;
}

std::vector<Tap> make_taps(Interpolation kind, std::int64_t old_size, std::int64_t new_size) {
  std::vector<Tap> taps;
  for (std::int64_t i = 0; i < new_size; ++i) {
    taps.push_back(make_tap(kind, i, old_size, new_size));
  }
  return taps;
}

std::uint8_t weighted_sum(const Tap& tap, const std::uint8_t* old, std::int64_t step) {
  std::int64_t sum = std::int64_t{1} << (kWeightBits - 1);
  old += tap.first * step;
  for (std::int32_t weight : tap.weights) {
    sum += std::int64_t{*old} * weight;
    old += step;
  }
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> kWeightBits, 0, 255));
}

Image resize_rows(const Image& image, std::int64_t width, Interpolation kind) {
  Image result{image.height, width, image.channels, {}};
  result.pixels.resize(static_cast<std::size_t>(image.height * width * image.channels));
  std::vector<Tap> taps = make_taps(kind, image.width, width);
  std::uint8_t* out = result.pixels.data();
  for (std::int64_t y = 0; y < image.height; ++y) {
    const std::uint8_t* row = image.pixels.data() + y * image.width * image.channels;
    for (const Tap& tap : taps) {
      for (std::int64_t c = 0; c < image.channels; ++c) {
        *out++ = weighted_sum(tap, row + c, image.channels);
      }
    }
  }
  return result;
}

Image resize_columns(const Image& image, std::int64_t height, Interpolation kind) {
  Image result{height, image.width, image.channels, {}};
  std::int64_t row = image.width * image.channels;
  result.pixels.resize(static_cast<std::size_t>(height * row));
  std::uint8_t* out = result.pixels.data();
  for (const Tap& tap : make_taps(kind, image.height, height)) {
    for (std::int64_t i = 0; i < row; ++i) {
      *out++ = weighted_sum(tap, image.pixels.data() + i, row);
    }
  }
  return result;
}

}  // namespace

Result<Image> resize(const Image& image, PixelSize size, Interpolation interpolation) {
  return without_exceptions("resize", [&]() -> Result<Image> {
    if (size.height < 1 || size.width < 1 || size.width > kMaxImagePixels / size.height || image.height < 1 ||
        image.width < 1 || size.width > kMaxImagePixels / image.height) {
      return Status::invalid_argument(fmt::format("cannot resize {} x {} pixels to {} x {}", image.height,
                                                  image.width, size.height, size.width));
    }
    Image result = size.width == image.width ? image : resize_rows(image, size.width, interpolation);
    return size.height == image.height ? std::move(result)
                                       : resize_columns(result, size.height, interpolation);
  });
}

}  // namespace zeropoint::toolchain
