#include "preprocess_options.h"

#include <utility>

#include "zeropoint/toolchain/file.h"

namespace zeropoint::cli {
namespace {

using toolchain::PixelSize;
using toolchain::Preprocess;
using toolchain::Transform;

Result<Preprocess> read_description(const std::string& file) {
  ZP_ASSIGN_OR_RETURN(std::vector<std::byte> text, toolchain::read_file(file));
  Result<Preprocess> how =
      toolchain::preprocess_from_json({reinterpret_cast<const char*>(text.data()), text.size()});
  return how.ok() ? std::move(how) : how.status().at(file);
}

Status replace_geometry(const PreprocessOptions& options, Preprocess& how) {
  if (!options.resize.empty()) {
    ZP_ASSIGN_OR_RETURN(PixelSize size, toolchain::parse_pixel_size(options.resize));
    bool both_sides = options.resize.find('x') != std::string::npos;
    how.shorter_side = both_sides ? std::nullopt : std::optional(size.height);
    how.resize = both_sides ? std::optional(size) : std::nullopt;
  }
  if (!options.interpolation.empty()) {
    ZP_ASSIGN_OR_RETURN(how.interpolation, toolchain::parse_interpolation(options.interpolation));
  }
  if (!options.crop.empty()) {
    ZP_ASSIGN_OR_RETURN(how.crop, toolchain::parse_pixel_size(options.crop));
  }
  if (!options.channels.empty()) {
    ZP_ASSIGN_OR_RETURN(how.channels, toolchain::parse_channel_order(options.channels));
  }
  if (!options.layout.empty()) {
    ZP_ASSIGN_OR_RETURN(how.layout, toolchain::parse_layout(options.layout));
  }
  return {};
}

Status replace_numbers(const PreprocessOptions& options, Preprocess& how) {
  Transform scale;
  toolchain::Normalize numbers;
  for (const auto& step : how.transform.steps) {
    if (const auto* normalize = std::get_if<toolchain::Normalize>(&step)) {
      numbers = *normalize;
    } else {
      scale.steps.push_back(step);
    }
  }
  if (!options.scale.empty()) {
    ZP_ASSIGN_OR_RETURN(scale, toolchain::parse_scale(options.scale));
  }
  numbers.mean = options.mean.empty() ? std::move(numbers.mean) : options.mean;
  numbers.std = options.std.empty() ? std::move(numbers.std) : options.std;
  how.transform =
      toolchain::with_mean_and_std(std::move(scale), std::move(numbers.mean), std::move(numbers.std));
  return {};
}

}  // namespace

void PreprocessOptions::add(CLI::App& command) {
  constexpr const char* kGroup = "Preprocessing (docs/preprocess.md)";
  command.add_option("--preprocess", file, "A description of all of the following, JSON")->group(kGroup);
  command.add_option("--resize", resize, "256: the shorter side; 224x224: height and width")->group(kGroup);
  command
      .add_option("--interpolation", interpolation,
                  "nearest, bilinear, bilinear-antialias (default), bicubic-antialias, area")
      ->group(kGroup);
  command.add_option("--crop", crop, "Cut 224, or 224x320, out of the centre")->group(kGroup);
  command.add_option("--channels", channels, "rgb, bgr or grey (default: as the images are)")->group(kGroup);
  command.add_option("--scale", scale, "Multiply bytes (0 to 255) by this: 1/255, 0.017")->group(kGroup);
  command.add_option("--mean", mean, "Subtract after that: 0.5, or one per channel: 0.485,0.456,0.406")
      ->delimiter(',')
      ->group(kGroup);
  command.add_option("--std", std, "Divide by after that")->delimiter(',')->group(kGroup);
  command.add_option("--layout", layout, "nchw (default) or nhwc")->group(kGroup);
}

Result<std::optional<Preprocess>> PreprocessOptions::preprocess() const {
  bool given = !file.empty() || !resize.empty() || !interpolation.empty() || !crop.empty() ||
               !channels.empty() || !scale.empty() || !mean.empty() || !std.empty() || !layout.empty();
  if (!given) {
    return std::optional<Preprocess>();
  }
  Preprocess how;
  if (!file.empty()) {
    ZP_ASSIGN_OR_RETURN(how, read_description(file));
  }
  ZP_RETURN_IF_ERROR(replace_geometry(*this, how));
  ZP_RETURN_IF_ERROR(replace_numbers(*this, how));
  ZP_RETURN_IF_ERROR(how.validate());
  return std::optional(std::move(how));
}

}  // namespace zeropoint::cli
