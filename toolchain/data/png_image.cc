#include <fmt/format.h>
#include <png.h>

#include <csetjmp>
#include <cstring>
#include <vector>

#include "data/image_formats.h"

namespace zeropoint::toolchain {
namespace {

/// The file in memory, and what libpng said when it gave up.
struct Source {
  const std::byte* at = nullptr;
  std::size_t left = 0;
  char message[200] = "";
};

void read_bytes(png_structp png, png_bytep out, png_size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (size > source->left) {
    png_error(png, "the file ends too early");
  }
  std::memcpy(out, source->at, size);
  source->at += size;
  source->left -= size;
}

[[noreturn]] void give_up(png_structp png, png_const_charp message) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::snprintf(source->message, sizeof(source->message), "%s", message);
  png_longjmp(png, 1);
}

void ignore(png_structp /*png*/, png_const_charp /*message*/) {}

/// libpng's two structures, freed together.
class Decoder {
 public:
  explicit Decoder(Source& source)
      : png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, give_up, ignore)),
        info_(png_ == nullptr ? nullptr : png_create_info_struct(png_)) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }

  [[nodiscard]] bool created() const { return info_ != nullptr; }
  [[nodiscard]] png_structp png() const { return png_; }
  [[nodiscard]] png_infop info() const { return info_; }

 private:
  png_structp png_;
  png_infop info_;
};

// setjmp and what it may jump over stay in functions without objects that have destructors.

bool read_header(png_structp png, png_infop info, Source* source) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  png_set_read_fn(png, source, read_bytes);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);  // decode_png() says the limit in its own words
  png_read_info(png, info);
  return true;
}

/// Asks for 8 bits per channel, grey or RGB.
bool set_format(png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  png_byte colour = png_get_color_type(png, info);
  if (colour == PNG_COLOR_TYPE_PALETTE) {
    png_set_palette_to_rgb(png);
  }
  if (colour == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, info) < 8) {
    png_set_expand_gray_1_2_4_to_8(png);
  }
  png_set_scale_16(png);
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  return true;
}

bool read_rows(png_structp png, png_infop info, png_bytepp rows) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  png_read_image(png, rows);
  png_read_end(png, info);
  return true;
}

}  // namespace

Result<Image> decode_png(std::span<const std::byte> content) {
  Source source{content.data(), content.size(), ""};
  Decoder decoder(source);
  if (!decoder.created()) {
    return Status::resource_exhausted("not enough memory to decode a PNG");
  }
  auto failed = [&] { return Status::corrupt(fmt::format("the PNG is damaged: {}", source.message)); };
  if (!read_header(decoder.png(), decoder.info(), &source)) {
    return failed();
  }
  png_uint_32 width = png_get_image_width(decoder.png(), decoder.info());
  png_uint_32 height = png_get_image_height(decoder.png(), decoder.info());
  ZP_RETURN_IF_ERROR(check_image_size(width, height));
  // Deflate makes at most 1032 bytes of one.
  std::uint64_t stored = std::uint64_t{height} * png_get_rowbytes(decoder.png(), decoder.info());
  if (stored / 1032 > content.size()) {
    return Status::corrupt(
        fmt::format("the PNG claims {} x {} pixels and has {} bytes", width, height, content.size()));
  }
  if (!set_format(decoder.png(), decoder.info())) {
    return failed();
  }
  Image image{height, width, png_get_channels(decoder.png(), decoder.info()), {}};
  std::size_t row_bytes = static_cast<std::size_t>(image.width * image.channels);
  if ((image.channels != 1 && image.channels != 3) ||
      png_get_rowbytes(decoder.png(), decoder.info()) != row_bytes) {
    return Status::internal(fmt::format("the PNG is decoded to {} channels", image.channels));
  }
  image.pixels.resize(static_cast<std::size_t>(image.height) * row_bytes);
  std::vector<png_bytep> rows(static_cast<std::size_t>(image.height));
  for (std::size_t y = 0; y < rows.size(); ++y) {
    rows[y] = image.pixels.data() + y * row_bytes;
  }
  if (!read_rows(decoder.png(), decoder.info(), rows.data())) {
    return failed();
  }
  return image;
}

}  // namespace zeropoint::toolchain
