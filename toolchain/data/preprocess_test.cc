#include "zeropoint/toolchain/preprocess.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "data/image_files_for_test.h"

namespace zeropoint::toolchain {
namespace {

std::uint32_t checksum(const std::vector<std::uint8_t>& bytes) {
  return static_cast<std::uint32_t>(::crc32(0, bytes.data(), static_cast<unsigned>(bytes.size())));
}

TEST(Resize, EqualsPillow) {
  // CRC-32 of Image.fromarray(pattern).resize((width, height), filter) under Pillow 9.4.
  struct Case {
    std::int64_t height, width, new_height, new_width;
    Interpolation interpolation;
    std::uint32_t expected;
  };
  for (const Case& c : std::vector<Case>{{50, 70, 20, 33, Interpolation::kNearest, 0x3fb6f6e4U},
                                         {50, 70, 20, 33, Interpolation::kBilinearAntialias, 0xded38d98U},
                                         {50, 70, 20, 33, Interpolation::kBicubicAntialias, 0x70300201U},
                                         {20, 33, 50, 70, Interpolation::kBilinearAntialias, 0x801e9305U},
                                         {20, 33, 50, 70, Interpolation::kBicubicAntialias, 0x12060b68U},
                                         {227, 227, 224, 224, Interpolation::kNearest, 0x1b36f130U},
                                         {227, 227, 224, 224, Interpolation::kBilinearAntialias, 0x4b7782afU},
                                         {227, 227, 224, 224, Interpolation::kBicubicAntialias, 0xbeaf8934U},
                                         {31, 64, 31, 17, Interpolation::kNearest, 0xf00207a0U},
                                         {31, 64, 31, 17, Interpolation::kBilinearAntialias, 0x08e98c42U},
                                         {31, 64, 31, 17, Interpolation::kBicubicAntialias, 0xbb2ff352U},
                                         {7, 5, 64, 64, Interpolation::kNearest, 0x12d04f6bU},
                                         {7, 5, 64, 64, Interpolation::kBilinearAntialias, 0xc74ef346U},
                                         {7, 5, 64, 64, Interpolation::kBicubicAntialias, 0xc3328909U}}) {
    Result<Image> image =
        resize(pattern_image(c.height, c.width, 3), {c.new_height, c.new_width}, c.interpolation);
    ASSERT_TRUE(image.ok()) << image.status().message();
    EXPECT_EQ(checksum(image->pixels), c.expected)
        << c.height << "x" << c.width << " to " << c.new_height << "x" << c.new_width << ", kind "
        << static_cast<int>(c.interpolation);
  }
}

std::vector<std::uint8_t> row(std::vector<std::uint8_t> pixels, std::int64_t width, Interpolation kind) {
  auto old = static_cast<std::int64_t>(pixels.size());
  Result<Image> image = resize({1, old, 1, std::move(pixels)}, {1, width}, kind);
  EXPECT_TRUE(image.ok());
  return image->pixels;
}

TEST(Resize, ByHand) {
  using Row = std::vector<std::uint8_t>;
  // Three pixels to two: each covers one and a half.
  EXPECT_EQ(row({0, 90, 210}, 2, Interpolation::kArea), (Row{30, 170}));
  EXPECT_EQ(row({0, 100, 200, 40}, 2, Interpolation::kArea), (Row{50, 120}));
  // Centres at 0.25 and 0.75 of two pixels growing to four; the border keeps its value.
  EXPECT_EQ(row({0, 100}, 4, Interpolation::kBilinear), (Row{0, 25, 75, 100}));
  // Four to one: the middle two, or a triangle over all, (5 0 + 7 80 + 7 80 + 5 0) / 24.
  EXPECT_EQ(row({255, 10, 20, 255}, 1, Interpolation::kBilinear), Row{15});
  EXPECT_EQ(row({0, 80, 80, 0}, 1, Interpolation::kBilinearAntialias), Row{47});
  EXPECT_EQ(row({5, 6, 7, 8}, 2, Interpolation::kNearest), (Row{6, 8}));
}

TEST(Resize, AFlatImageStaysFlat) {
  for (Interpolation kind :
       {Interpolation::kNearest, Interpolation::kBilinear, Interpolation::kBilinearAntialias,
        Interpolation::kBicubicAntialias, Interpolation::kArea}) {
    for (std::int64_t size : {1, 2, 3, 7, 16, 17, 100}) {
      Image flat{13, 11, 3, std::vector<std::uint8_t>(13 * 11 * 3, 255)};
      Result<Image> image = resize(flat, {size, 101 - size}, kind);
      ASSERT_TRUE(image.ok());
      EXPECT_EQ(image->pixels,
                std::vector<std::uint8_t>(static_cast<std::size_t>(size * (101 - size) * 3), 255));
    }
  }
  EXPECT_FALSE(resize({1, 1, 1, {0}}, {1 << 20, 1 << 20}, Interpolation::kArea).ok());
  EXPECT_FALSE(resize({1, 1, 1, {0}}, {0, 1}, Interpolation::kArea).ok());
}

TEST(Preprocess, DoesAllStepsInOrder) {
  Preprocess how;
  how.resize = PixelSize{1, 3};
  how.interpolation = Interpolation::kNearest;
  how.crop = PixelSize{1, 2};
  how.channels = ChannelOrder::kBgr;
  how.transform = with_mean_and_std(*parse_scale("1/10"), {1, 2, 3}, {});
  Image image{1, 3, 3, {10, 20, 30, 40, 50, 60, 70, 80, 90}};
  // What is cut away is the last pixel: half a pixel goes to the even side, which is 0.
  Result<std::vector<float>> planes = preprocess(how, image);
  ASSERT_TRUE(planes.ok()) << planes.status().message();
  EXPECT_EQ(*planes, (std::vector<float>{2, 5, 0, 3, -2, 1}));
  how.layout = Layout::kNhwc;
  EXPECT_EQ(*preprocess(how, image), (std::vector<float>{2, 0, -2, 5, 3, 1}));
}

TEST(Preprocess, CropsAsTorchvisionDoes) {
  Preprocess how;
  how.crop = PixelSize{1, 1};
  for (auto [width, expected] : {std::pair{1, 0}, {2, 0}, {3, 1}, {4, 2}, {5, 2}, {6, 2}, {7, 3}, {8, 4}}) {
    Image image{1, width, 1, {}};
    for (int i = 0; i < width; ++i) {
      image.pixels.push_back(static_cast<std::uint8_t>(i));
    }
    EXPECT_EQ((*preprocess(how, image))[0], static_cast<float>(expected)) << width;
  }
}

TEST(Preprocess, TurnsGreyAndColourIntoEachOther) {
  Preprocess how;
  how.channels = ChannelOrder::kGrey;
  Image image = pattern_image(8, 9, 3);
  Result<std::vector<float>> grey = preprocess(how, image);
  ASSERT_TRUE(grey.ok());
  std::vector<std::uint8_t> bytes(grey->begin(), grey->end());
  EXPECT_EQ(checksum(bytes), 0x2566b8e9U);  // Pillow's convert("L")
  how.channels = ChannelOrder::kRgb;
  EXPECT_EQ(*preprocess(how, {1, 1, 1, {7}}), (std::vector<float>{7, 7, 7}));
}

TEST(Preprocess, KeepsTheRatioOfTheSides) {
  Preprocess how;
  how.shorter_side = 256;
  EXPECT_EQ(*size_after(how, {300, 500}), (PixelSize{256, 426}));
  EXPECT_EQ(*size_after(how, {500, 300}), (PixelSize{426, 256}));
  EXPECT_EQ(*size_after(how, {10, 10}), (PixelSize{256, 256}));
  how.crop = PixelSize{224, 300};
  EXPECT_EQ(*size_after(how, {300, 500}), (PixelSize{224, 300}));
  EXPECT_NE(size_after(how, {500, 300}).status().message().find("resize it first"), std::string::npos);
}

TEST(PreprocessJson, ComesBackAsItWas) {
  std::string text =
      R"({"resize": 256, "interpolation": "bicubic-antialias", "crop": [224, 192], "channels": "bgr",
                         "scale": "1/255", "mean": [0.485, 0.456, 0.406], "std": 0.225, "layout": "nhwc"})";
  Result<Preprocess> how = preprocess_from_json(text);
  ASSERT_TRUE(how.ok()) << how.status().message();
  EXPECT_EQ(how->to_string(),
            "shorter side 256 (bicubic-antialias), crop 224x192, bgr, x/255, mean (0.485, 0.456, 0.406), std "
            "0.225, nhwc");
  Result<Preprocess> again = preprocess_from_json(to_json(*how));
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(to_json(*again), to_json(*how));
  EXPECT_EQ(again->to_string(), how->to_string());
  Result<Preprocess> other = preprocess_from_json(R"({"resize": [3, 4], "scale": 0.017, "std": [2]})");
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(preprocess_from_json(to_json(*other))->to_string(),
            "resize 3x4 (bilinear-antialias), x*0.017, mean 0, std 2, nchw");
  EXPECT_EQ(preprocess_from_json("{}")->to_string(), "x, nchw");
}

TEST(PreprocessJson, SaysWhatIsWrong) {
  for (const auto& [text, part] : std::vector<std::pair<std::string, std::string>>{
           {R"({"resise": 256})", "'resise' is unknown; did you mean resize?"},
           {R"({"zzzzzzzzzzzz": 256})", "'zzzzzzzzzzzz' is unknown"},
           {R"({"resize": 0})", "'resize' must be a whole number"},
           {R"({"resize": 1.5})", "'resize' must be"},
           {R"({"resize": -3})", "'resize' must be"},
           {R"({"resize": 99999})", "resize 99999 is not between 1 and 16384"},
           {R"({"resize": 99999999999999999999})", "'resize' must be"},
           {R"({"crop": [1, 2, 3]})", "'crop' must be"},
           {R"({"crop": "224"})", "'crop' must be"},
           {R"({"interpolation": "bilinaer"})", "did you mean bilinear?"},
           {R"({"channels": "argb"})", "did you mean rgb?"},
           {R"({"channels": 3})", "'channels' must be a word"},
           {R"({"layout": "nchv"})", "did you mean nchw?"},
           {R"({"mean": "0.5"})", "'mean' must be a number"},
           {R"({"std": [1, "x"]})", "'std' must be a number"},
           {R"({"scale": "1/0"})", "the divisor must be finite and not 0"},
           {R"({"scale": 0})", "the factor must be finite and not 0"},
           {R"({"scale": "x"})", "scale 'x' is no number"},
           {R"({"scale": [1]})", "'scale' must be a number"},
           {R"({"crop": 3, "crop": 4})", "'crop' is there twice"},
           {"[]", "no JSON object"},
           {"", "no JSON object"},
           {"{\"crop\": 3", "no JSON object"},
           {std::string(70000, ' '), "more than 65536 bytes"}}) {
    Result<Preprocess> how = preprocess_from_json(text);
    ASSERT_FALSE(how.ok()) << text;
    EXPECT_NE(how.status().message().find(part), std::string::npos) << how.status().message();
  }
}

TEST(PreprocessWords, ReadSizesAndScales) {
  EXPECT_EQ(*parse_pixel_size("224"), (PixelSize{224, 224}));
  EXPECT_EQ(*parse_pixel_size("224x320"), (PixelSize{224, 320}));
  for (const char* text : {"", "x", "3x", "x3", "3x4x5", "a", "3.5", " 3"}) {
    EXPECT_FALSE(parse_pixel_size(text).ok()) << text;
  }
  EXPECT_EQ(parse_scale("1/127.5")->to_string(), "x/127.5");
  EXPECT_EQ(parse_scale("1")->to_string(), "as it is");
  for (const char* text : {"", "1/", "2/3", "nan", "1/nan", "inf", "0", "1/0", "1/inf"}) {
    EXPECT_FALSE(parse_scale(text).ok()) << text;
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
