#include <gtest/gtest.h>

#include <cstdlib>

#include "import/checkpoint_for_tests.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::toolchain {
namespace {

using testing_files::bytes_of;
using testing_files::checkpoint_of;
using testing_files::protocol_2;
using testing_files::tensor;
using testing_files::TensorSpec;
using testing_files::text;
using testing_files::zip_of;

using namespace std::string_literals;

/// The bytes of 0, 1, 2, ... as Elements.
template <typename Element>
std::string counting(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    auto element = static_cast<Element>(i);
    bytes.append(reinterpret_cast<const char*>(&element), sizeof(element));
  }
  return bytes;
}

Result<CheckpointValue> read(const std::string& file) { return read_checkpoint(bytes_of(file), "model.pt"); }

/// The one tensor of a checkpoint that is `spec` alone, over a storage that counts from 0.
Tensor read_tensor(const TensorSpec& spec, const std::string& storage) {
  Result<CheckpointValue> value = read(checkpoint_of(protocol_2 + tensor(spec) + ".", storage));
  EXPECT_TRUE(value.ok()) << value.status().message();
  const Tensor* result = value.ok() ? value->get<Tensor>() : nullptr;
  return result != nullptr ? *result : Tensor();
}

TEST(Checkpoint, GathersStridedTensors) {
  std::string storage = counting<float>(24);
  auto floats = [&](std::initializer_list<std::int64_t> shape, std::initializer_list<std::int64_t> strides,
                    std::int64_t offset) {
    return read_tensor({.shape = shape, .strides = strides, .offset = offset, .storage_size = 24}, storage);
  };
  EXPECT_TRUE(floats({2, 3}, {3, 1}, 0) == Tensor::of<float>({2, 3}, {0, 1, 2, 3, 4, 5}));
  EXPECT_TRUE(floats({2, 3}, {3, 1}, 18) == Tensor::of<float>({2, 3}, {18, 19, 20, 21, 22, 23}));
  EXPECT_TRUE(floats({3, 2}, {1, 3}, 0) == Tensor::of<float>({3, 2}, {0, 3, 1, 4, 2, 5}));
  EXPECT_TRUE(floats({2, 2, 2}, {12, 1, 4}, 2) == Tensor::of<float>({2, 2, 2}, {2, 6, 3, 7, 14, 18, 15, 19}));
  EXPECT_TRUE(floats({2, 2}, {0, 1}, 5) == Tensor::of<float>({2, 2}, {5, 6, 5, 6}));
  EXPECT_TRUE(floats({}, {}, 7) == Tensor::of<float>({}, {7}));
  EXPECT_TRUE(floats({0, 3}, {3, 1}, 24) == Tensor(ElementType::kFloat32, {0, 3}));
  // The stride of an axis of one element is never used.
  EXPECT_TRUE(floats({2, 1, 2}, {2, INT64_MAX, 3}, 0) == Tensor::of<float>({2, 1, 2}, {0, 3, 2, 5}));
}

template <typename Element>
void expect_type(const std::string& storage_type) {
  TensorSpec transposed{.shape = {2, 2}, .strides = {1, 2}, .storage_size = 4, .storage_type = storage_type};
  EXPECT_TRUE(read_tensor(transposed, counting<Element>(4)) == Tensor::of<Element>({2, 2}, {0, 2, 1, 3}))
      << storage_type;
}

TEST(Checkpoint, ReadsEveryElementType) {
  expect_type<float>("FloatStorage");
  expect_type<double>("DoubleStorage");
  expect_type<std::int8_t>("CharStorage");
  expect_type<std::uint8_t>("ByteStorage");
  expect_type<std::int16_t>("ShortStorage");
  expect_type<std::int32_t>("IntStorage");
  expect_type<std::int64_t>("LongStorage");
  TensorSpec pair{.shape = {2}, .strides = {1}, .storage_size = 2};
  pair.storage_type = "HalfStorage";
  EXPECT_EQ(read_tensor(pair, "\x00\x3c\x01\x00"s).type(), ElementType::kFloat16);
  pair.storage_type = "BFloat16Storage";
  EXPECT_EQ(read_tensor(pair, "\x80\x3f\x01\x00"s).type(), ElementType::kBFloat16);
  pair.storage_type = "BoolStorage";
  Tensor flags = read_tensor(pair, "\x00\x01"s);
  EXPECT_EQ(flags.type(), ElementType::kBool);
  EXPECT_EQ(flags.bytes()[1], std::byte{1});
}

TEST(Checkpoint, ReadsNestedValues) {
  std::string pickle = protocol_2 + "}(" + text("epoch") + "K\x03" + text("lr") +
                       "G\x3f\xe0\x00\x00\x00\x00\x00\x00"s + text("done") + "\x88" + text("name") +
                       text("LeNet") + text("none") + "N" + text("steps") + "](K\x01K\x02"s + "e" +
                       text("betas") + "K\x03K\x04\x86" + "K\x05" + tensor({}) + "u.";
  Result<CheckpointValue> value = read(checkpoint_of(pickle, counting<float>(6)));
  ASSERT_TRUE(value.ok()) << value.status().message();
  CheckpointSequence steps{{{std::int64_t{1}}, {std::int64_t{2}}}, false};
  CheckpointSequence betas{{{std::int64_t{3}}, {std::int64_t{4}}}, true};
  CheckpointDict expected{{{"epoch", {std::int64_t{3}}},
                           {"lr", {0.5}},
                           {"done", {true}},
                           {"name", {std::string("LeNet")}},
                           {"none", {}},
                           {"steps", {steps}},
                           {"betas", {betas}},
                           {std::int64_t{5}, {Tensor::of<float>({2, 3}, {0, 1, 2, 3, 4, 5})}}}};
  EXPECT_TRUE(*value == CheckpointValue{expected});
  EXPECT_EQ(value->get<CheckpointDict>()->find("name")->get<std::string>()->size(), 5u);
  EXPECT_EQ(value->get<CheckpointDict>()->find("nothing"), nullptr);
}

TEST(Checkpoint, SharedTensorsComeOutSeparate) {
  std::string pickle =
      protocol_2 + tensor({}) + "q\x01h\x01" + tensor({.shape = {2}, .strides = {3}}) + "\x87.";
  Result<CheckpointValue> value = read(checkpoint_of(pickle, counting<float>(6)));
  ASSERT_TRUE(value.ok()) << value.status().message();
  const auto& items = value->get<CheckpointSequence>()->items;
  EXPECT_TRUE(items[0] == items[1]);
  EXPECT_TRUE(*items[2].get<Tensor>() == Tensor::of<float>({2}, {0, 3}));
}

TEST(Checkpoint, DataPickleMayBeDeflated) {
  std::string pickle = protocol_2 + text("hello") + ".";
  auto checksum = static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(pickle.data()), static_cast<uInt>(pickle.size())));
  Result<CheckpointValue> value = read(zip_of({{.name = "data.pkl",
                                                .content = testing_files::deflated(pickle),
                                                .method = 8,
                                                .claimed_size = static_cast<std::uint32_t>(pickle.size()),
                                                .checksum = checksum}}));
  ASSERT_TRUE(value.ok()) << value.status().message();
  EXPECT_EQ(*value->get<std::string>(), "hello");
}

/// read_state_dict of a file whose pickle is `body`.
Result<StateDict> state_dict_of(const std::string& body) {
  Result<CheckpointValue> value = read(checkpoint_of(protocol_2 + body + "."));
  return value.ok() ? to_state_dict(*std::move(value), "model.pt") : value.status();
}

TEST(StateDict, IsFoundAtTheTopOrUnderItsUsualNames) {
  std::string flat = "}" + text("fc1.weight") + tensor({}) + "s";
  Result<StateDict> top = state_dict_of(flat);
  ASSERT_TRUE(top.ok()) << top.status().message();
  ASSERT_NE(top->find("fc1.weight"), nullptr);
  EXPECT_EQ(top->find("fc1.bias"), nullptr);
  for (const char* name : {"state_dict", "model", "model_state_dict"}) {
    Result<StateDict> inner = state_dict_of("}(" + text("epoch") + "K\x01" + text(name) + flat + "u");
    ASSERT_TRUE(inner.ok()) << inner.status().message();
    EXPECT_EQ(inner->tensors.size(), 1u);
  }
  EXPECT_TRUE(state_dict_of("}").ok());
}

TEST(StateDict, NamesTheKeyThatIsNoTensor) {
  Status status = state_dict_of("}(" + text("w") + tensor({}) + text("epoch") + "K\x01u").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "model.pt: key epoch holds an integer; a state dict holds tensors by name, at the top or under "
            "state_dict, model or model_state_dict");
  status = state_dict_of("}" + text("state_dict") + "}" + text("a") + "}ss").status();
  EXPECT_NE(status.message().find("key a holds a dictionary"), std::string::npos) << status.message();
  status = state_dict_of("}K\x07" + tensor({}) + "s").status();
  EXPECT_NE(status.message().find("key 7 holds a tensor"), std::string::npos) << status.message();
  status = state_dict_of("]").status();
  EXPECT_NE(status.message().find("holds a list, not a dictionary of tensors"), std::string::npos);
}

TEST(StateDict, ReadsARealNetwork) {
  const char* folder = std::getenv("ZEROPOINT_DATA");
  if (folder == nullptr || *folder == '\0') {
    GTEST_SKIP() << "ZEROPOINT_DATA is not set";
  }
  Result<StateDict> network = read_state_dict(std::string(folder) + "/lenet/model.pt");
  ASSERT_TRUE(network.ok()) << network.status().message();
  const std::vector<std::pair<std::string, Shape>> expected = {
      {"conv1.weight", {6, 1, 5, 5}},  {"conv1.bias", {6}},
      {"conv2.weight", {16, 6, 5, 5}}, {"conv2.bias", {16}},
      {"fc1.weight", {120, 256}},      {"fc1.bias", {120}},
      {"fc2.weight", {84, 120}},       {"fc2.bias", {84}},
      {"fc3.weight", {10, 84}},        {"fc3.bias", {10}}};
  ASSERT_EQ(network->tensors.size(), expected.size());
  std::int64_t elements = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(network->tensors[i].first, expected[i].first);
    EXPECT_EQ(network->tensors[i].second.shape(), expected[i].second);
    EXPECT_EQ(network->tensors[i].second.type(), ElementType::kFloat32);
    elements += network->tensors[i].second.size();
  }
  EXPECT_EQ(elements, 44426);
}

}  // namespace
}  // namespace zeropoint::toolchain
