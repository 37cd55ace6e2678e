// The geometry of ONNX Resize. Names are those of its attributes.

#include "zeropoint/resize.h"

#include <algorithm>
#include <cmath>

#include "operators/axes.h"

namespace zeropoint {
namespace {

/// Far beyond any real extent.
constexpr float kFar = 2147483648.0F;

/// Which axes inputs scales, sizes and roi speak of: all, unless attribute axes says.
Result<std::vector<std::size_t>> chosen_axes(const Attributes& attributes, const Shape& input) {
  std::vector<std::int64_t> named = ints_attribute(attributes, "axes");
  std::vector<std::size_t> axes;
  for (std::size_t i = 0; named.empty() && i < input.size(); ++i) {
    axes.push_back(i);
  }
  for (std::int64_t axis : named) {
    ZP_ASSIGN_OR_RETURN(std::size_t at, operators::axis_in(axis, input));
    axes.push_back(at);
  }
  return axes;
}

Status does_not_fit(std::string_view what, const Shape& input) {
  return Status::invalid_argument("its ", what, " do not fit input ", input);
}

Status set_scales(const Tensor& scales, const std::vector<std::size_t>& chosen, const Shape& input,
                  std::vector<ResizeAxis>& axes) {
  if (scales.type() != ElementType::kFloat32 || scales.size() != static_cast<std::int64_t>(chosen.size())) {
    return does_not_fit("scales", input);
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    ResizeAxis& axis = axes[chosen[i]];
    axis.scale = scales.data<float>()[i];
    float extent = std::floor(static_cast<float>(axis.input) * axis.scale);
    if (!(axis.scale > 0) || !(extent < kFar)) {
      return does_not_fit("scales", input);
    }
    axis.output = static_cast<std::int64_t>(extent);
  }
  return {};
}

/// The same scale for all axes, the smallest or largest that `sizes` ask for, where the policy says so.
Status keep_aspect_ratio(std::string_view policy, const std::vector<std::size_t>& chosen,
                         std::vector<ResizeAxis>& axes) {
  if (policy == "stretch") {
    return {};
  }
  if (policy != "not_larger" && policy != "not_smaller") {
    return Status::invalid_argument("attribute keep_aspect_ratio_policy is '", policy,
                                    "'; stretch, not_larger or not_smaller is needed");
  }
  float scale = axes[chosen[0]].scale;
  for (std::size_t i : chosen) {
    scale = policy == "not_larger" ? std::min(scale, axes[i].scale) : std::max(scale, axes[i].scale);
  }
  for (std::size_t i : chosen) {
    axes[i].scale = scale;
    float extent = std::floor(scale * static_cast<float>(axes[i].input) + 0.5F);
    if (!(extent < kFar)) {
      return Status::invalid_argument("it asks for an extent beyond 2^31");
    }
    axes[i].output = static_cast<std::int64_t>(extent);
  }
  return {};
}

Status set_sizes(const Attributes& attributes, const std::vector<std::int64_t>& sizes,
                 const std::vector<std::size_t>& chosen, const Shape& input, std::vector<ResizeAxis>& axes) {
  if (sizes.size() != chosen.size()) {
    return does_not_fit("sizes", input);
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    ResizeAxis& axis = axes[chosen[i]];
    if (sizes[i] < 0 || (axis.input == 0 && sizes[i] != 0)) {
      return does_not_fit("sizes", input);
    }
    axis.output = sizes[i];
    axis.scale = axis.input == 0 ? 1.0F : static_cast<float>(sizes[i]) / static_cast<float>(axis.input);
  }
  return chosen.empty()
             ? Status()
             : keep_aspect_ratio(string_attribute(Op::kResize, attributes, "keep_aspect_ratio_policy"),
                                 chosen, axes);
}

/// Which modes a Resize has.
struct Modes {
  enum class Kind : std::uint8_t { kNearest, kLinear, kCubic } kind;
  std::string coordinates;
  std::string nearest;
  bool antialias;
  bool exclude_outside;
  float cubic_a;

  static Result<Modes> of(const Attributes& attributes) {
    auto text = [&](std::string_view name) { return string_attribute(Op::kResize, attributes, name); };
    auto refuse = [](std::string_view name, const std::string& value) {
      return Status::invalid_argument("attribute ", name, " is '", value, "', which Resize does not have");
    };
    auto is_one_of = [](const std::string& value, std::initializer_list<std::string_view> known) {
      return std::ranges::find(known, value) != known.end();
    };
    Modes modes{Kind::kNearest,
                text("coordinate_transformation_mode"),
                text("nearest_mode"),
                int_attribute(Op::kResize, attributes, "antialias") != 0,
                int_attribute(Op::kResize, attributes, "exclude_outside") != 0,
                float_attribute(Op::kResize, attributes, "cubic_coeff_a")};
    std::string mode = text("mode");
    if (!is_one_of(mode, {"nearest", "linear", "cubic"})) {
      return refuse("mode", mode);
    }
    modes.kind = mode == "nearest" ? Kind::kNearest : (mode == "linear" ? Kind::kLinear : Kind::kCubic);
    if (!is_one_of(modes.coordinates,
                   {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                    "tf_half_pixel_for_nn", "tf_crop_and_resize"})) {
      return refuse("coordinate_transformation_mode", modes.coordinates);
    }
    if (!is_one_of(modes.nearest, {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})) {
      return refuse("nearest_mode", modes.nearest);
    }
    return modes;
  }
};

/// Where in the input the element `at` of the output lies.
float coordinate(const Modes& modes, const ResizeAxis& axis, std::int64_t at) {
  auto x = static_cast<float>(at);
  auto in = static_cast<float>(axis.input);
  auto out = static_cast<float>(axis.output);
  if (modes.coordinates == "asymmetric") {
    return x / axis.scale;
  }
  if (modes.coordinates == "align_corners") {
    return axis.output == 1 ? 0.0F : x * (in - 1) / (out - 1);
  }
  if (modes.coordinates == "tf_half_pixel_for_nn") {
    return (x + 0.5F) / axis.scale;
  }
  if (modes.coordinates == "tf_crop_and_resize") {
    return axis.output == 1
               ? 0.5F * (axis.roi_begin + axis.roi_end) * (in - 1)
               : axis.roi_begin * (in - 1) + x * (axis.roi_end - axis.roi_begin) * (in - 1) / (out - 1);
  }
  if (modes.coordinates == "pytorch_half_pixel" && axis.output == 1) {
    return 0.0F;
  }
  float half_pixel = (x + 0.5F) / axis.scale - 0.5F;
  if (modes.coordinates == "half_pixel_symmetric") {
    // What flooring the extent cut off is left out on both sides alike.
    float kept = out / (axis.scale * in);
    return in / 2 * (1 - kept) + half_pixel;
  }
  return half_pixel;
}

std::int64_t nearest(const Modes& modes, float x) {
  float index = 0;
  if (modes.nearest == "floor") {
    index = std::floor(x);
  } else if (modes.nearest == "ceil") {
    index = std::ceil(x);
  } else if (modes.nearest == "round_prefer_ceil") {
    index = std::floor(x + 0.5F);
  } else {
    index = std::ceil(x - 0.5F);
  }
  return static_cast<std::int64_t>(index);
}

/// The interpolating kernel at `distance` from its middle.
float kernel(const Modes& modes, float distance) {
  float d = std::abs(distance);
  if (modes.kind == Modes::Kind::kLinear) {
    return std::max(0.0F, 1 - d);
  }
  // Keys' cubic convolution.
  float a = modes.cubic_a;
  if (d <= 1) {
    return ((a + 2) * d - (a + 3)) * d * d + 1;
  }
  return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0.0F;
}

std::vector<ResizeTaps::Tap> taps_around(const Modes& modes, const ResizeAxis& axis, float x) {
  // Antialiasing widens the kernel when elements become fewer.
  float narrowing = modes.antialias ? std::min(1.0F, axis.scale) : 1.0F;
  float reach = (modes.kind == Modes::Kind::kLinear ? 1.0F : 2.0F) / narrowing;
  auto first = static_cast<std::int64_t>(std::floor(x - reach)) + 1;
  auto last = std::max(first, static_cast<std::int64_t>(std::ceil(x + reach)) - 1);
  std::vector<ResizeTaps::Tap> taps;
  float sum = 0;
  for (std::int64_t i = first; i <= last; ++i) {
    bool outside = i < 0 || i >= axis.input;
    float weight =
        outside && modes.exclude_outside ? 0.0F : kernel(modes, (static_cast<float>(i) - x) * narrowing);
    if (weight != 0) {
      taps.push_back({std::clamp<std::int64_t>(i, 0, axis.input - 1), weight});
      sum += weight;
    }
  }
  if (modes.antialias || modes.exclude_outside) {
    for (ResizeTaps::Tap& tap : taps) {
      tap.weight /= sum;
    }
  }
  return taps;
}

}  // namespace

Result<std::vector<ResizeAxis>> resize_axes(const Attributes& attributes, const Shape& input,
                                            const Tensor* roi, const Tensor* scales,
                                            const std::vector<std::int64_t>* sizes) {
  if ((scales == nullptr) == (sizes == nullptr)) {
    return Status::invalid_argument("it needs either scales or sizes");
  }
  ZP_ASSIGN_OR_RETURN(std::vector<std::size_t> chosen, chosen_axes(attributes, input));
  std::vector<ResizeAxis> axes;
  for (std::int64_t extent : input) {
    axes.push_back({extent, extent});
  }
  ZP_RETURN_IF_ERROR(scales != nullptr ? set_scales(*scales, chosen, input, axes)
                                       : set_sizes(attributes, *sizes, chosen, input, axes));
  if (string_attribute(Op::kResize, attributes, "coordinate_transformation_mode") == "tf_crop_and_resize") {
    bool fits = roi != nullptr && roi->type() == ElementType::kFloat32 &&
                roi->size() == static_cast<std::int64_t>(2 * chosen.size());
    if (!fits) {
      return does_not_fit("roi", input);
    }
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      axes[chosen[i]].roi_begin = roi->data<float>()[i];
      axes[chosen[i]].roi_end = roi->data<float>()[chosen.size() + i];
    }
  }
  return axes;
}

Result<ResizeTaps> resize_taps(const Attributes& attributes, const ResizeAxis& axis) {
  ZP_ASSIGN_OR_RETURN(Modes modes, Modes::of(attributes));
  ResizeTaps result;
  bool crops = modes.coordinates == "tf_crop_and_resize";
  for (std::int64_t i = 0; i < axis.output; ++i) {
    float x = coordinate(modes, axis, i);
    if (!(std::abs(x) < kFar)) {
      return Status::invalid_argument("scales or roi lead to coordinates beyond 2^31");
    }
    bool outside = crops && (x < 0 || x > static_cast<float>(axis.input - 1));
    if (outside) {
      result.taps.emplace_back();
    } else if (modes.kind == Modes::Kind::kNearest) {
      result.taps.push_back({{std::clamp<std::int64_t>(nearest(modes, x), 0, axis.input - 1), 1.0F}});
    } else {
      result.taps.push_back(taps_around(modes, axis, x));
    }
  }
  return result;
}

}  // namespace zeropoint
