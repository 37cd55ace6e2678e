#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/image.h"
#include "zeropoint/toolchain/transform.h"

namespace zeropoint::toolchain {

/// How pixels between pixels are found; docs/preprocess.md has the formulas. All round to 8 bits.
enum class Interpolation {
  kNearest,
  kBilinear,           ///< the two nearest pixels per axis, however much is left out between them
  kBilinearAntialias,  ///< the triangle widened with the step when shrinking: what Pillow calls BILINEAR, bit
                       ///< for bit
  kBicubicAntialias,   ///< Pillow's BICUBIC, bit for bit
  kArea,               ///< the mean over what each new pixel covers
};

enum class ChannelOrder { kRgb, kBgr, kGrey };

enum class Layout { kNchw, kNhwc };

/// The height and width of something in pixels.
struct PixelSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
  friend bool operator==(const PixelSize&, const PixelSize&) = default;
};

/// What is done to an image before a network sees it, in this order, as data. What is not set is not done.
struct Preprocess {
  /// Either the shorter side becomes so long and the other keeps the ratio, rounded down, or both are said.
  std::optional<std::int64_t> shorter_side;
  std::optional<PixelSize> resize;
  Interpolation interpolation = Interpolation::kBilinearAntialias;
  std::optional<PixelSize> crop;         ///< cut out of the centre
  std::optional<ChannelOrder> channels;  ///< not set: as the data are
  Transform transform;                   ///< scale, then mean and std, per channel in the order of `channels`
  Layout layout = Layout::kNchw;

  /// kInvalidArgument naming the key when a size is not in [1, 16384], both kinds of resize are set, or a
  /// number of the transform is out of its range.
  [[nodiscard]] Status validate() const;
  /// One line: "shorter side 256 (bilinear-antialias), crop 224x224, rgb, x/255, mean ..., nchw".
  [[nodiscard]] std::string to_string() const;
};

/// The size that `image` has after resize and crop. kInvalidArgument when it is smaller than the crop.
Result<PixelSize> size_after(const Preprocess& how, PixelSize image);
/// The number of channels that come of images with `channels` of them.
std::int64_t channels_after(const Preprocess& how, std::int64_t channels);
/// [channels, height, width] or [height, width, channels].
Shape shape_after(const Preprocess& how, std::int64_t channels, PixelSize size);

/// Does it: float32 in the layout that is asked for, as many as shape_after() says. kInvalidArgument when the
/// image is smaller than the crop or the transform does not fit its channels.
Result<std::vector<float>> preprocess(const Preprocess& how, const Image& image);

/// `image` at another size.
Result<Image> resize(const Image& image, PixelSize size, Interpolation interpolation);

/// The description as JSON: docs/preprocess.md. Absent keys are what is not done.
std::string to_json(const Preprocess& how);
/// kCorrupt for text that is no JSON object; kInvalidArgument for an unknown key, naming the nearest, and for
/// a value out of its range, naming the key.
Result<Preprocess> preprocess_from_json(std::string_view text);

/// "bilinear": the words of the JSON and of the command line. kInvalidArgument lists them.
Result<Interpolation> parse_interpolation(std::string_view word);
Result<ChannelOrder> parse_channel_order(std::string_view word);
Result<Layout> parse_layout(std::string_view word);
/// "224" or "224x320" (height x width).
Result<PixelSize> parse_pixel_size(std::string_view text);
/// `scale`, then (x - mean) / std where either is not empty; an empty mean is 0, an empty std 1.
Transform with_mean_and_std(Transform scale, std::vector<float> mean, std::vector<float> std);

/// "1/255" divides, "0.0039" multiplies, so that either form has the bits of the framework that used it.
Result<Transform> parse_scale(std::string_view text);

}  // namespace zeropoint::toolchain
