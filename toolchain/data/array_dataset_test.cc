#include "zeropoint/toolchain/array_dataset.h"

#include <gtest/gtest.h>

#include "zeropoint/toolchain/convert_elements.h"

namespace zeropoint::toolchain {
namespace {

using Array = std::shared_ptr<const ArraySource>;

template <typename T>
Array array(Shape shape, std::vector<T> values) {
  return *array_in_memory("x.npy", Tensor::of<T>(std::move(shape), values));
}

template <typename T>
std::vector<T> sample(const Dataset& data, std::int64_t index) {
  std::vector<T> values(static_cast<std::size_t>(*element_count(data.sample_shape())));
  Status status = data.read_bytes(index, std::as_writable_bytes(std::span(values)));
  EXPECT_TRUE(status.ok()) << status.message();
  return values;
}

std::vector<std::int64_t> labels(const Dataset& data, std::int64_t index) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(data.labels_per_sample()));
  EXPECT_TRUE(data.read_labels(index, values).ok());
  return values;
}

TEST(ArrayDataset, TakesRowsAsSamples) {
  auto data = array_dataset(array<float>({2, 3}, {1, 2, 3, 4, 5, 6}), array<std::uint8_t>({2}, {7, 255}));
  ASSERT_TRUE(data.ok()) << data.status().message();
  EXPECT_EQ((*data)->size(), 2);
  EXPECT_EQ((*data)->sample_shape(), Shape{3});
  EXPECT_EQ(sample<float>(**data, 1), (std::vector<float>{4, 5, 6}));
  EXPECT_EQ((*data)->label(1), 255);
  EXPECT_EQ((*data)->label(0), 7);
}

TEST(ArrayDataset, ConvertsTransformsAndReshapes) {
  ArrayDatasetOptions options;
  options.transform.steps = {Scale{2}, Normalize{{0, 1}, {1, 2}}};
  options.sample_shape = {2, 1, 2};
  Array bytes = array<std::uint8_t>({1, 2, 2}, {2, 4, 6, 8});
  auto planes = array_dataset(bytes, nullptr, options);
  ASSERT_TRUE(planes.ok()) << planes.status().message();
  EXPECT_EQ((*planes)->sample_shape(), (Shape{2, 1, 2}));
  EXPECT_EQ(sample<float>(**planes, 0), (std::vector<float>{1, 2, 1, 1.5f}));
  EXPECT_EQ((*planes)->label(0), -1);
  options.layout = Layout::kNhwc;  // the channels are the last axis: 2, 6 and 4, 8
  auto pixels = array_dataset(bytes, nullptr, options);
  ASSERT_TRUE(pixels.ok());
  EXPECT_EQ(sample<float>(**pixels, 0), (std::vector<float>{1, 0.5f, 3, 1.5f}));
  // A shape that is another one is left to whoever takes the samples.
  options.sample_shape = {4};
  EXPECT_EQ((*array_dataset(bytes, nullptr, options))->sample_shape(), (Shape{2, 2}));
}

TEST(ArrayDataset, GivesIntegersOfTheTypeAskedFor) {
  ArrayDatasetOptions options;
  options.type = ElementType::kInt32;
  auto data = array_dataset(array<std::int64_t>({2, 1}, {5, std::int64_t{1} << 40}),
                            array<std::int32_t>({2, 2}, {1, 2, 3, 4}), options);
  ASSERT_TRUE(data.ok()) << data.status().message();
  EXPECT_EQ((*data)->element_type(), ElementType::kInt32);
  EXPECT_EQ(sample<std::int32_t>(**data, 0), std::vector<std::int32_t>{5});
  EXPECT_EQ((*data)->labels_per_sample(), 2);
  EXPECT_EQ(labels(**data, 1), (std::vector<std::int64_t>{3, 4}));
  std::int32_t out = 0;
  Status status = (*data)->read_bytes(1, std::as_writable_bytes(std::span(&out, 1)));
  EXPECT_NE(status.message().find("1099511627776, which is no int32"), std::string::npos) << status.message();
  std::vector<float> floats(1);
  EXPECT_EQ((*data)->read(0, floats).code(), StatusCode::kInvalidArgument);
}

TEST(ArrayDataset, RefusesPartsThatDoNotFit) {
  Array samples = array<float>({2, 1}, {1, 2});
  EXPECT_NE(array_dataset(samples, array<std::int64_t>({3}, {0, 1, 2}))
                .status()
                .message()
                .find("3 labels for the 2"),
            std::string::npos);
  EXPECT_FALSE(array_dataset(samples, array<float>({2}, {0, 1})).ok());
  EXPECT_FALSE(array_dataset(samples, array<std::int64_t>({2, 1, 1}, {0, 1})).ok());
  EXPECT_FALSE(array_dataset(samples, array<std::uint64_t>({2}, {0, UINT64_MAX})).ok());
  ArrayDatasetOptions options;
  options.type = ElementType::kInt64;
  EXPECT_FALSE(array_dataset(samples, nullptr, options).ok());
  options.type = ElementType::kFloat32;
  options.transform.steps = {Normalize{{0, 1, 2}, {1}}};
  EXPECT_FALSE(array_dataset(samples, nullptr, options).ok());
}

TEST(TokenDataset, CountsEveryTargetOnce) {
  TokenOptions options;
  options.window = 4;
  options.stride = 3;
  auto data = token_dataset(array<std::uint16_t>({10}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), options);
  ASSERT_TRUE(data.ok()) << data.status().message();
  ASSERT_EQ((*data)->size(), 3);
  EXPECT_EQ(sample<std::int64_t>(**data, 0), (std::vector<std::int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(labels(**data, 0), (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(sample<std::int64_t>(**data, 1), (std::vector<std::int64_t>{3, 4, 5, 6}));
  EXPECT_EQ(labels(**data, 1), (std::vector<std::int64_t>{-1, 5, 6, 7}));
  EXPECT_EQ(sample<std::int64_t>(**data, 2), (std::vector<std::int64_t>{5, 6, 7, 8}));
  EXPECT_EQ(labels(**data, 2), (std::vector<std::int64_t>{-1, -1, 8, 9}));
}

TEST(TokenDataset, CountsEveryTargetOnceForAllSizes) {
  for (std::int64_t length = 2; length < 12; ++length) {
    for (std::int64_t window = 1; window < length; ++window) {
      for (std::int64_t stride = 1; stride <= window; ++stride) {
        std::vector<std::int32_t> tokens(static_cast<std::size_t>(2 * length));
        for (std::size_t i = 0; i < tokens.size(); ++i) {
          tokens[i] = static_cast<std::int32_t>(i);
        }
        auto data = token_dataset(array<std::int32_t>({2, length}, tokens),
                                  {.window = window, .stride = stride, .type = ElementType::kInt32});
        ASSERT_TRUE(data.ok()) << data.status().message();
        std::vector<int> counted(tokens.size());
        for (std::int64_t i = 0; i < (*data)->size(); ++i) {
          std::vector<std::int32_t> inputs = sample<std::int32_t>(**data, i);
          std::vector<std::int64_t> targets = labels(**data, i);
          for (std::size_t k = 0; k < targets.size(); ++k) {
            if (targets[k] >= 0) {
              EXPECT_EQ(targets[k], inputs[k] + 1);
              ++counted[static_cast<std::size_t>(targets[k])];
            }
          }
        }
        std::vector<int> once(counted.size(), 1);
        once[0] = once[static_cast<std::size_t>(length)] = 0;  // the first of each text is nobody's target
        EXPECT_EQ(counted, once) << length << " " << window << " " << stride;
      }
    }
  }
}

TEST(TokenDataset, RefusesWhatHasNoWindows) {
  Array three = array<std::uint16_t>({3}, {1, 2, 3});
  EXPECT_FALSE(token_dataset(three, {.window = 3}).ok());
  EXPECT_TRUE(token_dataset(three, {.window = 2}).ok());
  EXPECT_FALSE(token_dataset(three, {.window = 0}).ok());
  EXPECT_FALSE(token_dataset(three, {.window = 2, .stride = 3}).ok());
  EXPECT_FALSE(token_dataset(array<float>({3}, {1, 2, 3}), {.window = 2}).ok());
  EXPECT_TRUE(token_dataset(three, {.window = 2, .stride = 1, .type = ElementType::kFloat32}).ok());
}

TEST(ConvertElements, KeepsValuesOrSaysWhichIsLost) {
  auto to = [](const Tensor& tensor, ElementType type) { return converted(tensor, type); };
  EXPECT_EQ(*to(Tensor::of<double>({2}, {0.1, -2}), ElementType::kFloat32),
            Tensor::of<float>({2}, {0.1f, -2}));
  EXPECT_EQ(*to(Tensor::of<std::int8_t>({1}, {-1}), ElementType::kInt64),
            Tensor::of<std::int64_t>({1}, {-1}));
  EXPECT_EQ(*to(Tensor::of<std::uint8_t>({1}, {200}), ElementType::kFloat32), Tensor::of<float>({1}, {200}));
  EXPECT_EQ(*to(*to(Tensor::of<float>({1}, {1.5f}), ElementType::kFloat16), ElementType::kFloat64),
            Tensor::of<double>({1}, {1.5}));
  EXPECT_FALSE(to(Tensor::of<std::int8_t>({1}, {-1}), ElementType::kUint64).ok());
  EXPECT_FALSE(to(Tensor::of<std::uint64_t>({1}, {std::uint64_t{1} << 63}), ElementType::kInt64).ok());
  EXPECT_FALSE(to(Tensor::of<float>({1}, {1}), ElementType::kInt64).ok());
  EXPECT_FALSE(to(Tensor::of<std::int8_t>({1}, {1}), ElementType::kInt4).ok());
  EXPECT_FALSE(to(Tensor::of<std::int8_t>({1}, {1}), ElementType::kBool).ok());
}

}  // namespace
}  // namespace zeropoint::toolchain
