#include "zeropoint/toolchain/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <numeric>
#include <stdexcept>

#include "zeropoint/toolchain/mnist.h"

namespace zeropoint::toolchain {
namespace {

/// Sample i is the number i, its label i + 100; `failing` cannot be read and `throwing` throws.
class Counting final : public Dataset {
 public:
  explicit Counting(std::int64_t size, std::int64_t failing = -1, std::int64_t throwing = -1)
      : size_(size), failing_(failing), throwing_(throwing) {}

  [[nodiscard]] std::int64_t size() const override { return size_; }
  [[nodiscard]] const Shape& sample_shape() const override { return shape_; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return names_; }
  [[nodiscard]] std::int64_t label(std::int64_t index) const override { return index + 100; }
  Status read_bytes(std::int64_t index, std::span<std::byte> bytes) const override {
    if (index == failing_) {
      return Status::corrupt("unreadable");
    }
    if (index == throwing_) {
      throw std::bad_alloc();
    }
    std::span<float> out(reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float));
    std::fill(out.begin(), out.end(), static_cast<float>(index));
    return {};
  }
  [[nodiscard]] std::string description() const override { return "numbers"; }

 private:
  std::int64_t size_;
  std::int64_t failing_;
  std::int64_t throwing_;
  Shape shape_{2};
  std::vector<std::string> names_;
};

DataLoader loader(std::int64_t size, LoaderOptions options) {
  return *DataLoader::make(std::make_shared<Counting>(size), options);
}

/// The indices of a pass, in order; checks every batch on the way.
std::vector<std::int64_t> run(const DataLoader& loader, std::int64_t number, std::int64_t first_batch = 0) {
  std::vector<std::int64_t> order;
  Result<Epoch> epoch = loader.epoch(number, first_batch);
  EXPECT_TRUE(epoch.ok());
  std::int64_t batches = first_batch;
  while (true) {
    Result<std::optional<Batch>> batch = epoch->next();
    EXPECT_TRUE(batch.ok());
    if (!batch.ok() || !batch->has_value()) {
      break;
    }
    const Batch& it = **batch;
    EXPECT_EQ(it.inputs.shape(), (Shape{static_cast<std::int64_t>(it.indices.size()), 2}));
    for (std::size_t i = 0; i < it.indices.size(); ++i) {
      EXPECT_EQ(it.labels[i], it.indices[i] + 100);
      EXPECT_EQ(it.inputs.data<float>()[2 * i + 1], static_cast<float>(it.indices[i]));
    }
    order.insert(order.end(), it.indices.begin(), it.indices.end());
    ++batches;
  }
  EXPECT_EQ(batches, loader.batches());
  Result<std::optional<Batch>> end = epoch->next();
  EXPECT_TRUE(end.ok() && !end->has_value());
  return order;
}

TEST(DataLoader, GivesEverySampleOnceInOrder) {
  for (std::int64_t prefetch : {0, 1, 2, 100}) {
    for (std::int64_t size : {0, 1, 3, 4, 5, 9}) {
      std::vector<std::int64_t> expected(static_cast<std::size_t>(size));
      std::iota(expected.begin(), expected.end(), 0);
      EXPECT_EQ(run(loader(size, {.batch_size = 4, .prefetch = prefetch}), 0), expected);
    }
  }
}

TEST(DataLoader, DropsThePartialBatchWhenAsked) {
  DataLoader nine = loader(9, {.batch_size = 4, .drop_last = true});
  EXPECT_EQ(nine.batches(), 2);
  EXPECT_EQ(run(nine, 0).size(), 8u);
  EXPECT_EQ(run(loader(3, {.batch_size = 4, .drop_last = true}), 0).size(), 0u);
}

TEST(DataLoader, ShufflesBySeedAndEpochAlone) {
  DataLoader one = loader(100, {.batch_size = 7, .shuffle = true, .seed = 5, .prefetch = 0});
  DataLoader two = loader(100, {.batch_size = 9, .shuffle = true, .seed = 5, .prefetch = 3});
  std::vector<std::int64_t> order = run(one, 3);
  EXPECT_EQ(run(two, 3), order);
  EXPECT_NE(run(one, 4), order);
  EXPECT_NE(run(loader(100, {.shuffle = true, .seed = 6}), 3), order);
  std::sort(order.begin(), order.end());
  for (std::int64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  }
}

TEST(DataLoader, ResumesInTheMiddle) {
  DataLoader ten = loader(10, {.batch_size = 4, .shuffle = true});
  std::vector<std::int64_t> all = run(ten, 1);
  EXPECT_EQ(run(ten, 1, 2), (std::vector<std::int64_t>(all.begin() + 8, all.end())));
  EXPECT_TRUE(run(ten, 1, 3).empty());
  EXPECT_EQ(ten.epoch(1, 4).status().message(), "there is no batch 4; an epoch has 3");
  EXPECT_FALSE(ten.epoch(1, -1).ok());
}

TEST(DataLoader, PassesErrorsOnAndStops) {
  for (std::int64_t prefetch : {0, 2}) {
    auto data = std::make_shared<Counting>(20, /*failing=*/9);
    DataLoader failing = *DataLoader::make(data, {.batch_size = 4, .prefetch = prefetch});
    Result<Epoch> epoch = failing.epoch(0);
    EXPECT_TRUE(epoch->next().ok());
    EXPECT_TRUE(epoch->next().ok());
    for (int i = 0; i < 2; ++i) {
      Result<std::optional<Batch>> batch = epoch->next();
      EXPECT_EQ(batch.status().code(), StatusCode::kCorrupt);
      EXPECT_EQ(batch.status().message(), "sample 9: unreadable");
    }
    data = std::make_shared<Counting>(20, -1, /*throwing=*/0);
    DataLoader throwing = *DataLoader::make(data, {.prefetch = prefetch});
    EXPECT_EQ(throwing.epoch(0)->next().status().code(), StatusCode::kResourceExhausted);
  }
}

TEST(DataLoader, CanBeGivenUpAtAnyTime) {
  DataLoader many = loader(10000, {.batch_size = 1});
  for (int taken = 0; taken < 50; ++taken) {
    Result<Epoch> epoch = many.epoch(0);
    for (int i = 0; i < taken; ++i) {
      EXPECT_TRUE(epoch->next().ok());
    }
  }
  Epoch epoch = *many.epoch(0);
  epoch = *many.epoch(1);
  EXPECT_TRUE(epoch.next().ok());
}

TEST(DataLoader, RefusesOptionsThatCannotBe) {
  auto data = std::make_shared<Counting>(1);
  EXPECT_EQ(DataLoader::make(data, {.batch_size = 0}).status().message(), "batch size 0 must be at least 1");
  EXPECT_FALSE(DataLoader::make(data, {.prefetch = -1}).ok());
}

TEST(DataLoader, KeepsUpWithTraining) {
  ByteImages images;
  images.shape = {1, 28, 28};
  images.pixels.resize(std::size_t{60000} * 784, 100);
  images.labels.resize(60000);
  images.class_names = {"0"};
  Result<std::unique_ptr<Dataset>> data = ImageDataset::make(std::move(images), mnist_transform());
  DataLoader loader = *DataLoader::make(*std::move(data), {.shuffle = true});
  auto start = std::chrono::steady_clock::now();
  Result<Epoch> epoch = loader.epoch(0);
  std::int64_t samples = 0;
  while (true) {
    Result<std::optional<Batch>> batch = epoch->next();
    ASSERT_TRUE(batch.ok());
    if (!batch->has_value()) {
      break;
    }
    samples += (*batch)->inputs.dim(0);
  }
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(samples, 60000);
  RecordProperty("seconds", std::to_string(seconds.count()));
  // Far above what it takes, so that a busy machine or a sanitizer does not fail it.
  EXPECT_LT(seconds.count(), 5);
}

}  // namespace
}  // namespace zeropoint::toolchain
