#include "data/preprocess_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <string>
#include <vector>

#include "import/printable.h"
#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::toolchain {
namespace {

// In the order of the enumerators.
constexpr std::string_view kInterpolations[] = {"nearest", "bilinear", "bilinear-antialias",
                                                "bicubic-antialias", "area"};
constexpr std::string_view kOrders[] = {"rgb", "bgr", "grey"};
constexpr std::string_view kLayouts[] = {"nchw", "nhwc"};

template <typename Enum, std::size_t kCount>
Result<Enum> parse_word(const char* key, std::string_view word, const std::string_view (&words)[kCount]) {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (words[i] == word) {
      return static_cast<Enum>(i);
    }
    known.emplace_back(words[i]);
  }
  std::string guess = nearest(word, known);
  return Status::invalid_argument(fmt::format("preprocessing: {} '{}' is unknown; {}", key, printable(word),
                                              guess.empty()
                                                  ? fmt::format("use one of {}", fmt::join(known, ", "))
                                                  : fmt::format("did you mean {}?", guess)));
}

template <typename T>
bool parse_number(std::string_view text, T& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string_view word_of(Interpolation interpolation) {
  return kInterpolations[static_cast<std::size_t>(interpolation)];
}
std::string_view word_of(ChannelOrder order) { return kOrders[static_cast<std::size_t>(order)]; }
std::string_view word_of(Layout layout) { return kLayouts[static_cast<std::size_t>(layout)]; }

Result<Interpolation> parse_interpolation(std::string_view word) {
  return parse_word<Interpolation>("interpolation", word, kInterpolations);
}
Result<ChannelOrder> parse_channel_order(std::string_view word) {
  return parse_word<ChannelOrder>("channels", word, kOrders);
}
Result<Layout> parse_layout(std::string_view word) { return parse_word<Layout>("layout", word, kLayouts); }

Result<PixelSize> parse_pixel_size(std::string_view text) {
  std::size_t cross = text.find('x');
  PixelSize size;
  bool read = cross == std::string_view::npos
                  ? parse_number(text, size.height) && (size.width = size.height, true)
                  : parse_number(text.substr(0, cross), size.height) &&
                        parse_number(text.substr(cross + 1), size.width);
  if (!read) {
    return Status::invalid_argument(fmt::format(
        "preprocessing: '{}' is no size; write 224, or 224x320 for height and width", printable(text)));
  }
  return size;
}

Result<Transform> parse_scale(std::string_view text) {
  constexpr std::string_view kReciprocal = "1/";
  bool divides = text.starts_with(kReciprocal);
  float number = 0;
  if (!parse_number(divides ? text.substr(kReciprocal.size()) : text, number)) {
    return Status::invalid_argument(
        fmt::format("preprocessing: scale '{}' is no number; write 1/255 or 0.0039", printable(text)));
  }
  Transform transform;
  if (divides) {
    transform.steps.emplace_back(Scale{number});
  } else if (number != 1) {
    transform.steps.emplace_back(Multiply{number});
  }
  ZP_RETURN_IF_ERROR(transform.validate(1));
  return transform;
}

}  // namespace zeropoint::toolchain
