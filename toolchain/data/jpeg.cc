#include <fmt/format.h>

#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it before

#include <jerror.h>
#include <jpeglib.h>

#include "data/image_formats.h"

namespace zeropoint::toolchain {
namespace {

/// A progressive file may hold any number of scans, each as costly as the image; encoders write about ten.
constexpr int kMaxScans = 100;

/// What libjpeg calls when something is wrong: it must not return, so it jumps.
struct ErrorHandler {
  jpeg_error_mgr base;
  std::jmp_buf start;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void give_up(j_common_ptr info) {
  auto* handler = reinterpret_cast<ErrorHandler*>(info->err);
  info->err->format_message(info, handler->message);
  std::longjmp(handler->start, 1);
}

/// Damage that libjpeg would paint over is an error here; oddities that lose nothing are not.
void on_message(j_common_ptr info, int level) {
  int code = info->err->msg_code;
  bool harmless = code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
  if (level < 0 && !harmless) {
    give_up(info);
  }
}

void on_progress(j_common_ptr info) {
  auto* decoder = reinterpret_cast<j_decompress_ptr>(info);
  if (decoder->input_scan_number > kMaxScans) {
    auto* handler = reinterpret_cast<ErrorHandler*>(info->err);
    std::snprintf(handler->message, sizeof(handler->message), "more than %d scans", kMaxScans);
    std::longjmp(handler->start, 1);
  }
}

// setjmp and what it may jump over stay in functions without objects that have destructors.

bool read_header(jpeg_decompress_struct& decoder, ErrorHandler& handler, const unsigned char* content,
                 std::size_t size) {
  if (setjmp(handler.start) != 0) {
    return false;
  }
  jpeg_mem_src(&decoder, content, static_cast<unsigned long>(size));
  jpeg_read_header(&decoder, TRUE);
  bool is_grey = decoder.num_components == 1;
  bool is_cmyk = decoder.num_components == 4;
  decoder.out_color_space = is_grey ? JCS_GRAYSCALE : (is_cmyk ? JCS_CMYK : JCS_RGB);
  return true;
}

bool read_rows(jpeg_decompress_struct& decoder, ErrorHandler& handler, unsigned char* pixels) {
  if (setjmp(handler.start) != 0) {
    return false;
  }
  jpeg_start_decompress(&decoder);
  std::size_t row_bytes =
      std::size_t{decoder.output_width} * static_cast<std::size_t>(decoder.output_components);
  while (decoder.output_scanline < decoder.output_height) {
    JSAMPROW row = pixels + decoder.output_scanline * row_bytes;
    jpeg_read_scanlines(&decoder, &row, 1);
  }
  jpeg_finish_decompress(&decoder);
  return true;
}

/// A decoder that frees what libjpeg holds.
class Decoder {
 public:
  explicit Decoder(ErrorHandler& handler) {
    info_.err = jpeg_std_error(&handler.base);
    handler.base.error_exit = give_up;
    handler.base.emit_message = on_message;
    created_ = create(handler);
    progress_.progress_monitor = on_progress;
    info_.progress = &progress_;
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() {
    if (created_) {
      jpeg_destroy_decompress(&info_);
    }
  }

  [[nodiscard]] bool created() const { return created_; }
  jpeg_decompress_struct& info() { return info_; }

 private:
  bool create(ErrorHandler& handler) {
    if (setjmp(handler.start) != 0) {
      return false;
    }
    jpeg_create_decompress(&info_);
    return true;
  }

  jpeg_decompress_struct info_{};
  jpeg_progress_mgr progress_{};
  bool created_ = false;
};

/// Adobe's programs store the inks inverted, as every writer of such files has done since.
void cmyk_to_rgb(std::vector<std::uint8_t>& pixels) {
  std::size_t count = pixels.size() / 4;
  for (std::size_t i = 0; i < count; ++i) {
    unsigned black = pixels[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      pixels[3 * i + c] = static_cast<std::uint8_t>((pixels[4 * i + c] * black + 127) / 255);
    }
  }
  pixels.resize(3 * count);
}

}  // namespace

Result<Image> decode_jpeg(std::span<const std::byte> content) {
  ErrorHandler handler{};
  Decoder decoder(handler);
  auto failed = [&] { return Status::corrupt(fmt::format("the JPEG is damaged: {}", handler.message)); };
  if (!decoder.created() ||
      !read_header(decoder.info(), handler, reinterpret_cast<const unsigned char*>(content.data()),
                   content.size())) {
    return failed();
  }
  jpeg_decompress_struct& info = decoder.info();
  ZP_RETURN_IF_ERROR(check_image_size(info.image_width, info.image_height));
  Image image{info.image_height, info.image_width, info.num_components, {}};
  if (image.channels != 1 && image.channels != 3 && image.channels != 4) {
    return Status::unsupported(
        fmt::format("the JPEG has {} components; 1, 3 and 4 are read", image.channels));
  }
  // Each block of 64 pixels takes a bit at least; a factor of 2 more for arithmetic coding.
  constexpr std::uint64_t kMostPixelsPerByte = 1024;
  if (static_cast<std::uint64_t>(image.height * image.width) / kMostPixelsPerByte > content.size()) {
    return Status::corrupt(fmt::format("the JPEG claims {} x {} pixels and has {} bytes", image.width,
                                       image.height, content.size()));
  }
  image.pixels.resize(static_cast<std::size_t>(image.height * image.width * image.channels));
  if (!read_rows(info, handler, image.pixels.data())) {
    return failed();
  }
  if (image.channels == 4) {
    cmyk_to_rgb(image.pixels);
    image.channels = 3;
  }
  return image;
}

}  // namespace zeropoint::toolchain
