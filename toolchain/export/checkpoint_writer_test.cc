#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <limits>

#include "import/checkpoint_values.h"
#include "io/temporary_path_for_test.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::toolchain {
namespace {

class CheckpointWriter : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// `value` after a round trip through a file.
  Result<CheckpointValue> round_trip(const CheckpointValue& value) {
    ZP_RETURN_IF_ERROR(write_checkpoint(path_, value));
    return read_checkpoint(path_);
  }

  std::string folder_ = temporary_path_for_test("checkpoints");
  std::string path_ = folder_ + "/model.pt";
};

/// Bytes 0, 7, 14, ...; for bools 0 and 1.
Tensor patterned(ElementType type, Shape shape) {
  Tensor tensor(type, std::move(shape));
  for (std::size_t i = 0; i < tensor.byte_size(); ++i) {
    tensor.bytes()[i] = static_cast<std::byte>(type == ElementType::kBool ? i % 2 : i * 7);
  }
  return tensor;
}

constexpr ElementType kTypes[] = {ElementType::kFloat32, ElementType::kFloat16, ElementType::kBFloat16,
                                  ElementType::kFloat64, ElementType::kInt8,    ElementType::kUint8,
                                  ElementType::kInt16,   ElementType::kInt32,   ElementType::kInt64,
                                  ElementType::kBool};

TEST_F(CheckpointWriter, TensorsComeBackBitForBit) {
  StateDict written;
  for (ElementType type : kTypes) {
    for (const Shape& shape : {Shape{}, {1}, {3, 5}, {2, 1, 3, 4}, {0}, {0, 3}, {3, 0, 2}}) {
      written.tensors.emplace_back(std::string(name_of(type)) + to_string(shape), patterned(type, shape));
    }
  }
  ASSERT_TRUE(write_state_dict(path_, written).ok());
  Result<StateDict> read = read_state_dict(path_);
  ASSERT_TRUE(read.ok()) << read.status().message();
  ASSERT_EQ(read->tensors.size(), written.tensors.size());
  for (std::size_t i = 0; i < written.tensors.size(); ++i) {
    EXPECT_EQ(read->tensors[i].first, written.tensors[i].first);
    EXPECT_TRUE(read->tensors[i].second == written.tensors[i].second) << written.tensors[i].first;
  }
}

TEST_F(CheckpointWriter, NestedValuesComeBack) {
  CheckpointSequence numbers;
  for (std::int64_t number :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{INT32_MAX}, std::int64_t{INT32_MIN},
        std::int64_t{INT32_MAX} + 1, std::int64_t{INT32_MIN} - 1, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()}) {
    numbers.items.push_back({number});
  }
  CheckpointSequence tuple{{{0.1}, {std::numeric_limits<double>::infinity()}, {-1e-320}, {true}, {false}, {}},
                           true};
  CheckpointDict inner{{{"größe", {std::string("日本語 \xf0\x9f\x98\x80")}}, {"", {std::string()}}}};
  CheckpointDict value{{{"numbers", {numbers}},
                        {std::int64_t{-3}, {tuple}},
                        {"inner", {inner}},
                        {"empty list", {CheckpointSequence{}}},
                        {"empty tuple", {CheckpointSequence{{}, true}}},
                        {"empty dictionary", {CheckpointDict{}}},
                        {"tensor", {patterned(ElementType::kInt16, {3, 2})}}}};
  Result<CheckpointValue> read = round_trip({value});
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_TRUE(*read == CheckpointValue{value});
  EXPECT_FALSE(*read == CheckpointValue{});
}

TEST_F(CheckpointWriter, TheSameValueGivesTheSameFileWithAlignedRecords) {
  StateDict value;
  value.tensors.emplace_back("a", patterned(ElementType::kFloat32, {5}));
  value.tensors.emplace_back("b", patterned(ElementType::kInt8, {3}));
  value.tensors.emplace_back("c", patterned(ElementType::kFloat64, {2, 2}));
  ASSERT_TRUE(write_state_dict(path_, value).ok());
  ASSERT_TRUE(write_state_dict(folder_ + "/again.pt", value).ok());
  Result<std::vector<std::byte>> file = read_file(path_);
  Result<std::vector<std::byte>> again = read_file(folder_ + "/again.pt");
  ASSERT_TRUE(file.ok() && again.ok());
  EXPECT_TRUE(*file == *again);
  for (const auto& [name, tensor] : value.tensors) {
    auto found = std::search(file->begin(), file->end(), tensor.bytes(), tensor.bytes() + tensor.byte_size());
    ASSERT_NE(found, file->end());
    EXPECT_EQ((found - file->begin()) % 64, 0) << name;
  }
}

TEST_F(CheckpointWriter, SaysWhatPyTorchCannotHold) {
  auto message = [&](const CheckpointValue& value) { return write_checkpoint(path_, value).message(); };
  EXPECT_EQ(message({CheckpointDict{{{"w", {Tensor(ElementType::kUint16, {2})}}}}}),
            path_ + ": key w: PyTorch has no storage for uint16; convert it to a signed or float type");
  EXPECT_EQ(message({CheckpointDict{{{"w", {}}, {"w", {}}}}}),
            path_ + ": key w: the key appears twice in its dictionary");
  for (const char* wrong : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "a\x80"}) {
    EXPECT_NE(message({std::string(wrong)}).find("is not UTF-8"), std::string::npos);
  }
  StateDict twice;
  twice.tensors.emplace_back("w", Tensor());
  twice.tensors.emplace_back("w", Tensor());
  EXPECT_EQ(write_state_dict(path_, twice).message(),
            path_ + ": tensor w: the name appears twice in the state dict");
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_FALSE(write_state_dict(folder_ + "/no/such/model.pt", StateDict{}).ok());
}

TEST_F(CheckpointWriter, NestsAsDeepAsTheReader) {
  CheckpointValue value;
  for (std::size_t i = 0; i < kMaxCheckpointDepth; ++i) {
    CheckpointSequence list;
    list.items.push_back(std::move(value));
    value = {std::move(list)};
  }
  Result<CheckpointValue> read = round_trip(value);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_TRUE(*read == value);
  CheckpointSequence deeper;
  deeper.items.push_back(std::move(value));
  EXPECT_NE(write_checkpoint(path_, {deeper}).message().find("nests deeper than 100"), std::string::npos);
}

}  // namespace
}  // namespace zeropoint::toolchain
