#include "zeropoint/toolchain/image.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "data/image_files_for_test.h"
#include "data/npy_for_test.h"

namespace zeropoint::toolchain {
namespace {

Image decoded(const std::string& file) {
  Result<Image> image = decode_image(bytes_of(file));
  EXPECT_TRUE(image.ok()) << image.status().message();
  return image.ok() ? *std::move(image) : Image();
}

TEST(Image, PngComesBackAsItWas) {
  for (std::int64_t channels : {1, 3}) {
    Image image = pattern_image(5, 7, channels);
    Image back = decoded(png_file(image));
    EXPECT_EQ(back.height, 5);
    EXPECT_EQ(back.width, 7);
    EXPECT_EQ(back.channels, channels);
    EXPECT_EQ(back.pixels, image.pixels);
  }
  Image image = pattern_image(9, 13, 3);
  EXPECT_EQ(decoded(png_file(image.pixels, 13, 9, PNG_COLOR_TYPE_RGB, 8, true)).pixels, image.pixels);
}

TEST(Image, PngOfEveryKindBecomesGreyOrRgb) {
  using Bytes = std::vector<std::uint8_t>;
  // One byte holds eight pixels, black and white.
  EXPECT_EQ(decoded(png_file({0xa0}, 3, 1, PNG_COLOR_TYPE_GRAY, 1)).pixels, (Bytes{255, 0, 255}));
  EXPECT_EQ(decoded(png_file({0x1f}, 2, 1, PNG_COLOR_TYPE_GRAY, 4)).pixels, (Bytes{17, 255}));
  // 16 bits are rounded: 0x01ff is 1.996 * 256, 0x00ff nearer to 1 than to 0.
  EXPECT_EQ(decoded(png_file({0x01, 0xff, 0x00, 0xff}, 2, 1, PNG_COLOR_TYPE_GRAY, 16)).pixels, (Bytes{2, 1}));
  EXPECT_EQ(decoded(png_file({1, 0}, 2, 1, PNG_COLOR_TYPE_PALETTE, 8)).pixels,
            (Bytes{40, 50, 60, 10, 20, 30}));
  EXPECT_EQ(decoded(png_file({9, 8, 7, 0}, 1, 1, PNG_COLOR_TYPE_RGB_ALPHA)).pixels, (Bytes{9, 8, 7}));
  EXPECT_EQ(decoded(png_file({9, 128}, 1, 1, PNG_COLOR_TYPE_GRAY_ALPHA)).pixels, (Bytes{9}));
}

TEST(Image, JpegIsNearWhatWasWritten) {
  for (bool progressive : {false, true}) {
    for (std::int64_t channels : {1, 3}) {
      Image image{16, 24, channels, {}};
      for (std::int64_t i = 0; i < 16 * 24 * channels; ++i) {
        image.pixels.push_back(static_cast<std::uint8_t>(i / channels / 3 + 40 * (i % channels)));
      }
      Image back = decoded(jpeg_file(image, progressive));
      ASSERT_EQ(back.pixels.size(), image.pixels.size());
      EXPECT_EQ(back.channels, channels);
      for (std::size_t i = 0; i < image.pixels.size(); ++i) {
        EXPECT_NEAR(back.pixels[i], image.pixels[i], 4) << i;
      }
    }
  }
}

TEST(Image, FourInksBecomeRgb) {
  // Inverted, as all programs store them: 255 is no ink.
  Image inks{8, 8, 4, {}};
  for (int i = 0; i < 64; ++i) {
    inks.pixels.insert(inks.pixels.end(), {255, 128, 0, 128});
  }
  Image image = decoded(jpeg_file(inks));
  EXPECT_EQ(image.channels, 3);
  ASSERT_EQ(image.pixels.size(), 192U);
  EXPECT_NEAR(image.pixels[0], 128, 2);
  EXPECT_NEAR(image.pixels[1], 64, 2);
  EXPECT_NEAR(image.pixels[2], 0, 2);
}

void expect_error(const std::string& file, StatusCode code, const std::string& part) {
  Result<Image> image = decode_image(bytes_of(file));
  ASSERT_FALSE(image.ok()) << part;
  EXPECT_EQ(image.status().code(), code) << image.status().message();
  EXPECT_NE(image.status().message().find(part), std::string::npos) << image.status().message();
}

TEST(Image, CutOffFilesAreErrorsNotGreyPixels) {
  for (const std::string& file : {png_file(pattern_image(20, 20, 3)), jpeg_file(pattern_image(20, 20, 3)),
                                  jpeg_file(pattern_image(20, 20, 3), true)}) {
    for (std::size_t size = 0; size + 2 < file.size(); ++size) {
      EXPECT_FALSE(decode_image(bytes_of(file.substr(0, size))).ok()) << size << " of " << file.size();
    }
  }
  expect_error("GIF89a and so on", StatusCode::kUnsupported, "neither a JPEG nor a PNG");
  std::string damaged = png_file(pattern_image(20, 20, 3));
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
  expect_error(damaged, StatusCode::kCorrupt, "the PNG is damaged");
}

TEST(Image, SizesThatAreClaimedAreCheckedFirst) {
  // The frame header of a JPEG holds height and width as two bytes each, behind ff c0 and three bytes.
  std::string jpeg = jpeg_file(pattern_image(8, 8, 1));
  std::size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  std::string huge = jpeg;
  huge.replace(frame + 5, 4, "\xff\xdc\xff\xdc");
  expect_error(huge, StatusCode::kUnsupported, "65500 x 65500 pixels; 1 to 67108864");
  std::string large = jpeg;
  large.replace(frame + 5, 4, "\x10\x10\x10\x10");
  expect_error(large, StatusCode::kCorrupt, "claims 4112 x 4112 pixels");
  // A PNG's header is under a checksum, so the size is one that was written so.
  std::string png = png_file(std::vector<std::uint8_t>(1, 0), 1, 1, PNG_COLOR_TYPE_GRAY);
  EXPECT_TRUE(decode_image(bytes_of(png)).ok());
}

TEST(Image, MutatedFilesNeverCrash) {
  std::string good = jpeg_file(pattern_image(24, 24, 3), true);
  std::string png = png_file(pattern_image(24, 24, 3));
  std::srand(1);
  for (int round = 0; round < 2000; ++round) {
    std::string file = round % 2 == 0 ? good : png;
    for (int i = 0; i < 1 + round % 5; ++i) {
      file[static_cast<std::size_t>(std::rand()) % file.size()] = static_cast<char>(std::rand());
    }
    Result<Image> image = decode_image(bytes_of(file));
    if (image.ok()) {
      EXPECT_EQ(image->pixels.size(),
                static_cast<std::size_t>(image->height * image->width * image->channels));
    }
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
