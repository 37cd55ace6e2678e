#include "zeropoint/toolchain/dataset.h"

#include <gtest/gtest.h>

namespace zeropoint::toolchain {
namespace {

/// Three images of two channels and 1x2 pixels.
ByteImages three_images() {
  return {
      {2, 1, 2}, {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 255}, {1, 0, 1}, {"cat", "dog"}, "three images"};
}

std::shared_ptr<const Dataset> three(Transform transform = {}) {
  Result<std::unique_ptr<Dataset>> data = ImageDataset::make(three_images(), std::move(transform));
  EXPECT_TRUE(data.ok()) << data.status().message();
  return *std::move(data);
}

std::vector<float> sample(const Dataset& data, std::int64_t index) {
  std::vector<float> out(4);
  Status status = data.read(index, out);
  EXPECT_TRUE(status.ok()) << status.message();
  return out;
}

TEST(ImageDataset, ReadsTransformedSamples) {
  std::shared_ptr<const Dataset> data = three({{Scale{2}, Normalize{{1, 2}, {0.5f, 4}}}});
  EXPECT_EQ(data->size(), 3);
  EXPECT_EQ(data->sample_shape(), (Shape{2, 1, 2}));
  EXPECT_EQ(data->classes(), 2);
  EXPECT_EQ(data->label(2), 1);
  EXPECT_EQ(sample(*data, 2), (std::vector<float>{18, 19, 2.25f, (127.5f - 2) / 4}));
}

TEST(ImageDataset, RefusesReadsThatCannotBe) {
  std::shared_ptr<const Dataset> data = three();
  std::vector<float> out(4);
  EXPECT_EQ(data->read(-1, out).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(data->read(3, out).message(), "three images: there is no sample 3");
  EXPECT_EQ(data->read(0, std::span(out).first(3)).message(),
            "three images: a sample is float32 [2, 1, 2], not 3 elements");
}

TEST(ImageDataset, RefusesPartsThatContradictEachOther) {
  auto message = [](void (*spoil)(ByteImages&), Transform transform = {}) {
    ByteImages images = three_images();
    spoil(images);
    return ImageDataset::make(std::move(images), std::move(transform)).status().message();
  };
  EXPECT_EQ(message([](ByteImages& images) { images.labels[1] = 2; }),
            "three images: image 1 has label 2; there are 2 classes");
  EXPECT_NE(message([](ByteImages& images) { images.labels[1] = -1; }), "");
  EXPECT_NE(message([](ByteImages& images) { images.labels.pop_back(); }), "");
  EXPECT_NE(message([](ByteImages& images) { images.pixels.pop_back(); }), "");
  EXPECT_NE(message([](ByteImages& images) { images.shape = {4}; }), "");
  EXPECT_NE(message([](ByteImages& images) { images.shape = {2, 0, 2}; }), "");
  EXPECT_NE(message([](ByteImages& images) { images.shape = {2, -1, -2}; }), "");
  EXPECT_EQ(message([](ByteImages&) {}, {{Normalize{{0}, {0}}}}),
            "three images: preprocessing: std 0 must be greater than 0");
}

TEST(Subset, SelectsWithoutCopying) {
  Result<std::unique_ptr<Dataset>> data = subset(three(), {2, 0, 2});
  ASSERT_TRUE(data.ok());
  EXPECT_EQ((*data)->size(), 3);
  EXPECT_EQ((*data)->label(1), 1);
  EXPECT_EQ(sample(**data, 1), (std::vector<float>{0, 1, 2, 3}));
  EXPECT_EQ(sample(**data, 2), (std::vector<float>{20, 21, 22, 255}));
  EXPECT_EQ((*data)->description(), "3 of three images");
  std::vector<float> out(4);
  EXPECT_FALSE((*data)->read(3, out).ok());
  EXPECT_FALSE(subset(three(), {3}).ok());
}

TEST(Subset, TakesTheFirstOrRandomSamples) {
  EXPECT_EQ((*first_samples(three(), 2))->size(), 2);
  EXPECT_EQ((*first_samples(three(), 9))->size(), 3);
  EXPECT_EQ((*first_samples(three(), 0))->size(), 0);
  EXPECT_FALSE(first_samples(three(), -1).ok());
  Result<std::unique_ptr<Dataset>> two = random_samples(three(), 2, 1);
  ASSERT_EQ((*two)->size(), 2);
  EXPECT_NE(sample(**two, 0), sample(**two, 1));
  EXPECT_EQ(sample(**random_samples(three(), 2, 1), 0), sample(**two, 0));
  EXPECT_FALSE(random_samples(three(), -1, 1).ok());
}

}  // namespace
}  // namespace zeropoint::toolchain
