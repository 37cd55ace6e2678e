#include "zeropoint/toolchain/mnist.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "data/gzip_for_test.h"
#include "io/temporary_path_for_test.h"
#include "zeropoint/toolchain/file.h"

namespace zeropoint::toolchain {
namespace {

using Bytes = std::vector<std::byte>;

/// An IDX file of extents below 256.
Bytes idx(const std::vector<int>& shape, const std::vector<int>& elements) {
  Bytes result = {std::byte{0}, std::byte{0}, std::byte{8}, static_cast<std::byte>(shape.size())};
  for (int extent : shape) {
    result.insert(result.end(), {std::byte{0}, std::byte{0}, std::byte{0}, static_cast<std::byte>(extent)});
  }
  for (int element : elements) {
    result.push_back(static_cast<std::byte>(element));
  }
  return result;
}

class Mnist : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const Bytes& content) const {
    std::filesystem::create_directories(std::filesystem::path(folder_ + "/" + name).parent_path());
    ASSERT_TRUE(write_file(folder_ + "/" + name, content).ok());
  }
  [[nodiscard]] Status load(Split split = Split::kTrain) const { return load_mnist(folder_, split).status(); }
  void expect_error(StatusCode code, const std::string& message) const {
    EXPECT_EQ(load().code(), code);
    EXPECT_EQ(load().message(), message);
  }

  std::string folder_ = temporary_path_for_test("mnist");
  std::string images_ = folder_ + "/train-images-idx3-ubyte";
  std::string labels_ = folder_ + "/train-labels-idx1-ubyte";
};

TEST_F(Mnist, FindsEverySpelling) {
  Bytes images = idx({2, 1, 3}, {0, 1, 2, 3, 4, 255});
  Bytes labels = idx({2}, {7, 9});
  for (const char* place : {"", "mnist/", "MNIST/raw/"}) {
    for (const char* separator : {"-", "."}) {
      for (bool compressed : {false, true}) {
        const char* ending = compressed ? "-ubyte.gz" : "-ubyte";
        write(fmt::format("{}t10k-images{}idx3{}", place, separator, ending),
              compressed ? gzip(images) : images);
        write(fmt::format("{}t10k-labels{}idx1{}", place, separator, ending),
              compressed ? gzip(labels) : labels);
        Result<std::unique_ptr<Dataset>> data = load_mnist(folder_, Split::kTest, {});
        ASSERT_TRUE(data.ok()) << data.status().message();
        EXPECT_EQ((*data)->size(), 2);
        EXPECT_EQ((*data)->sample_shape(), (Shape{1, 1, 3}));
        EXPECT_EQ((*data)->label(1), 9);
        EXPECT_EQ((*data)->classes(), 10);
        std::vector<float> sample(3);
        EXPECT_TRUE((*data)->read(1, sample).ok());
        EXPECT_EQ(sample, (std::vector<float>{3, 4, 255}));
        TearDown();
      }
    }
  }
}

TEST_F(Mnist, DescribesItself) {
  write("train-images-idx3-ubyte", idx({1, 1, 1}, {3}));
  write("train-labels-idx1-ubyte", idx({1}, {0}));
  EXPECT_EQ((*load_mnist(folder_, Split::kTrain))->description(), "MNIST train, 1 images, " + folder_);
}

TEST_F(Mnist, SaysWhatIsMissing) {
  EXPECT_EQ(load().code(), StatusCode::kNotFound);
  EXPECT_EQ(load().message().find(folder_ + ": no train-images-idx3-ubyte[.gz]"), 0u);
  write("train-images-idx3-ubyte", idx({1, 1, 1}, {3}));
  expect_error(StatusCode::kNotFound, labels_ + "[.gz] is missing beside " + images_);
}

TEST_F(Mnist, SaysWhatIsWrong) {
  write("train-images-idx3-ubyte", idx({2, 1, 2}, {1, 2, 3, 4}));
  write("train-labels-idx1-ubyte", idx({3}, {1, 2, 3}));
  expect_error(StatusCode::kCorrupt, labels_ + ": holds 3 labels for the 2 images of " + images_);
  write("train-labels-idx1-ubyte", idx({2}, {1, 10}));
  expect_error(StatusCode::kCorrupt, labels_ + ": label 1 is 10; digits are 0 to 9");
  write("train-labels-idx1-ubyte", idx({2, 1}, {1, 1}));
  expect_error(StatusCode::kCorrupt, labels_ + ": the header says [2, 1]; labels are [count]");
  write("train-labels-idx1-ubyte", idx({2}, {1, 1}));
  write("train-images-idx3-ubyte", idx({2, 2}, {1, 2, 3, 4}));
  expect_error(StatusCode::kCorrupt, images_ + ": the header says [2, 2]; images are [count, height, width]");
  write("train-images-idx3-ubyte", idx({2, 2, 2}, {1, 2, 3, 4}));
  expect_error(StatusCode::kCorrupt,
               images_ + ": the header says [2, 2, 2], 8 elements: the content ends too early");
  write("train-images-idx3-ubyte", idx({2, 0, 2}, {}));
  expect_error(StatusCode::kCorrupt, images_ + ": holds no images ([2, 0, 2])");
  write("train-images-idx3-ubyte", idx({0, 1, 2}, {}));
  expect_error(StatusCode::kCorrupt, images_ + ": holds no images ([0, 1, 2])");
  write("train-images-idx3-ubyte", {});
  EXPECT_EQ(load().code(), StatusCode::kCorrupt);
}

TEST_F(Mnist, TheRealDataIsAsPublished) {
  const char* folder = std::getenv("ZEROPOINT_DATA");
  if (folder == nullptr || *folder == '\0') {
    GTEST_SKIP() << "ZEROPOINT_DATA names no folder with MNIST";
  }
  struct Known {
    Split split;
    std::int64_t first_label;
    std::vector<int> per_class;
  };
  for (const Known& known :
       {Known{Split::kTrain, 5, {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}},
        Known{Split::kTest, 7, {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}}}) {
    Result<std::unique_ptr<Dataset>> loaded = load_mnist(folder, known.split);
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    const Dataset& data = **loaded;
    EXPECT_EQ(data.size(), std::accumulate(known.per_class.begin(), known.per_class.end(), 0));
    EXPECT_EQ(data.sample_shape(), (Shape{1, 28, 28}));
    EXPECT_EQ(data.label(0), known.first_label);
    std::vector<int> per_class(10);
    std::vector<float> sample(784);
    double sum = 0;
    for (std::int64_t i = 0; i < data.size(); ++i) {
      ++per_class[static_cast<std::size_t>(data.label(i))];
      ASSERT_TRUE(data.read(i, sample).ok());
      sum += std::accumulate(sample.begin(), sample.end(), 0.0);
    }
    EXPECT_EQ(per_class, known.per_class);
    // The published mean and standard deviation are those of the training images.
    EXPECT_NEAR(sum / 784 / static_cast<double>(data.size()), 0, known.split == Split::kTrain ? 1e-3 : 0.01);
    ASSERT_TRUE(data.read(0, sample).ok());
    EXPECT_EQ(sample[0], -0.424212962f);
    if (known.split == Split::kTrain) {
      EXPECT_EQ(sample[5 * 28 + 12], (3.0f / 255.0f - 0.1307f) / 0.3081f);
    }
  }
}

}  // namespace
}  // namespace zeropoint::toolchain
