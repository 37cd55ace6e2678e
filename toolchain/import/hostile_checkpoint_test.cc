#include <gtest/gtest.h>

#include <unistd.h>

#include "import/checkpoint_for_tests.h"
#include "import/checkpoint_values.h"
#include "io/temporary_path_for_test.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::toolchain {
namespace {

using testing_files::bytes_of;
using testing_files::checkpoint_of;
using testing_files::global;
using testing_files::little_endian;
using testing_files::protocol_2;
using testing_files::state_dict_of;
using testing_files::tensor;
using testing_files::TensorSpec;
using testing_files::text;
using testing_files::zip_of;

using namespace std::string_literals;

Result<CheckpointValue> read(const std::string& file) { return read_checkpoint(bytes_of(file), "model.pt"); }

void expect_error(const std::string& file, StatusCode code, const std::string& beginning) {
  Result<CheckpointValue> value = read(file);
  ASSERT_FALSE(value.ok()) << beginning;
  EXPECT_EQ(value.status().code(), code) << value.status().message();
  EXPECT_EQ(value.status().message().substr(0, beginning.size()), beginning);
}

void expect_tensor_error(const TensorSpec& spec, const std::string& message) {
  expect_error(checkpoint_of(state_dict_of(spec)), StatusCode::kCorrupt,
               "model.pt: tensor fc1.weight: " + message);
}

TEST(HostileCheckpoint, ExecutesNothing) {
  std::string witness = temporary_path_for_test("owned");
  expect_error(
      checkpoint_of(protocol_2 + global("os", "system") + text("touch " + witness) + "\x85R."),
      StatusCode::kUnsupported,
      "model.pt: data.pkl: byte 2: refuses to call os.system; a state dict holds only tensors, numbers, "
      "strings, lists and dictionaries: save model.state_dict()");
  EXPECT_NE(access(witness.c_str(), F_OK), 0);
}

TEST(HostileCheckpoint, TensorsBeyondTheirStorage) {
  expect_tensor_error(
      {.shape = {2, 4}, .strides = {4, 1}},
      "shape [2, 4] with strides [4, 1] at offset 0 reaches beyond its storage of 6 elements");
  expect_tensor_error({.strides = {4, 1}}, "shape [2, 3] with strides [4, 1] at offset 0 reaches beyond");
  expect_tensor_error({.offset = 1}, "shape [2, 3] with strides [3, 1] at offset 1 reaches beyond");
  expect_tensor_error({.offset = INT64_MAX},
                      "shape [2, 3] with strides [3, 1] at offset 9223372036854775807");
  expect_tensor_error({.strides = {INT64_MAX, INT64_MAX}}, "shape [2, 3] with strides [9223372036854775807");
  expect_tensor_error({.storage_size = 0}, "shape [2, 3] with strides [3, 1] at offset 0 reaches beyond");
  expect_tensor_error({.storage_size = -6}, "shape [2, 3] with strides [3, 1] at offset 0 reaches beyond");
}

TEST(HostileCheckpoint, ImpossibleShapes) {
  expect_tensor_error({.shape = {-2, 3}}, "shape [-2, 3] has a negative extent");
  expect_tensor_error({.strides = {-3, 1}}, "negative stride in [-3, 1]");
  expect_tensor_error({.offset = -1}, "negative offset -1");
  expect_tensor_error({.shape = {1LL << 40, 1LL << 40}},
                      "shape [1099511627776, 1099511627776] has more elements");
  expect_tensor_error({.shape = {6}}, "1 extents and 2 strides; they must be equally many, at most 64");
  std::string wrong_kind = protocol_2 + "}" + text("fc1.weight") + tensor({}) + "s.";
  std::string two = testing_files::integer(2);
  wrong_kind.replace(wrong_kind.find(two), two.size(), "N");
  expect_error(checkpoint_of(wrong_kind), StatusCode::kCorrupt,
               "model.pt: tensor fc1.weight: its shape or strides contain None");
}

TEST(HostileCheckpoint, StoragesLongerThanTheirRecord) {
  expect_tensor_error({.storage_size = 7},
                      "its storage should have 7 float32 elements but record data/0 has 24 bytes");
  expect_tensor_error({.storage_size = INT64_MAX},
                      "its storage should have 9223372036854775807 float32 elements but record data/0");
  expect_tensor_error({.storage_type = "DoubleStorage"},
                      "its storage should have 6 float64 elements but record data/0 has 24 bytes");
  expect_tensor_error({.key = "1"}, "record data/1 is missing");
  expect_tensor_error({.key = "../data.pkl"}, "storage key '../data.pkl' is not one that PyTorch writes");
  expect_tensor_error({.key = ""}, "storage key '' is not one that PyTorch writes");
  expect_tensor_error({.storage_type = "BoolStorage"}, "a bool element is neither 0 nor 1");
}

TEST(HostileCheckpoint, ExpansionOutOfProportion) {
  // One element, a terabyte of tensor.
  expect_error(
      checkpoint_of(state_dict_of({.shape = {1LL << 38}, .strides = {0}})), StatusCode::kResourceExhausted,
      "model.pt: tensor fc1.weight: the values would take more than 256 MB and 8 times the file's size");
  expect_error(checkpoint_of(state_dict_of({.shape = {INT64_MAX}, .strides = {0}})),
               StatusCode::kResourceExhausted, "model.pt: tensor fc1.weight: the values would take");
  // "Billion laughs": each list holds the one before it ten times, 40 times over.
  std::string laughs = protocol_2 + text("ha") + "q\x01" + "0";
  for (char i = 2; i < 42; ++i) {
    laughs += "](";
    for (int k = 0; k < 10; ++k) {
      laughs += "h"s + static_cast<char>(i - 1);
    }
    laughs += "eq"s + i + "0";
  }
  expect_error(checkpoint_of(laughs + "h\x29."), StatusCode::kResourceExhausted, "model.pt: 0.0.0.0.");
  // A long string shared by many.
  std::string sharing = protocol_2 + "](" + text(std::string(1 << 20, 'a')) + "q\x01";
  for (int i = 0; i < 1000; ++i) {
    sharing += "h\x01";
  }
  expect_error(checkpoint_of(sharing + "e."), StatusCode::kResourceExhausted, "model.pt: 2");
  // Its use as a key counts as well.
  std::string keys = protocol_2 + "](";
  keys += "}"s + text(std::string(1 << 20, 'a')) + "q\x01Ns";
  for (int i = 0; i < 1000; ++i) {
    keys += "}h\x01Ns";
  }
  expect_error(checkpoint_of(keys + "e."), StatusCode::kResourceExhausted, "model.pt: ");
}

TEST(HostileCheckpoint, CyclesAndDepth) {
  expect_error(checkpoint_of(protocol_2 + "]q\x01h\x01"s + "a."), StatusCode::kCorrupt,
               "model.pt: 0: contains itself");
  expect_error(checkpoint_of(protocol_2 + "}q\x01" + text("me") + "]q\x02h\x01" + "as."),
               StatusCode::kCorrupt, "model.pt: me.0: contains itself");
  auto nested = [](int depth) {
    std::string lists = protocol_2 + std::string(static_cast<std::size_t>(depth), ']');
    return checkpoint_of(lists + std::string(static_cast<std::size_t>(depth) - 1, 'a') + ".");
  };
  EXPECT_TRUE(read(nested(static_cast<int>(kMaxCheckpointDepth))).ok());
  expect_error(nested(1'000'000), StatusCode::kResourceExhausted, "model.pt: 0.0.0.0.");
  std::string tuples = protocol_2 + "N" + std::string(1'000'000, '\x85') + ".";
  Status deep = read(checkpoint_of(tuples)).status();
  EXPECT_NE(deep.message().find("nests deeper than 100 containers"), std::string::npos) << deep.message();
  expect_error(checkpoint_of(protocol_2 + std::string(5'000'000, '(')), StatusCode::kResourceExhausted,
               "model.pt: data.pkl: byte 1002: the pickle has more than 1000 open marks");
}

TEST(HostileCheckpoint, KeysAndBareObjects) {
  expect_error(checkpoint_of(protocol_2 + "}" + text("a") + "}NNss."), StatusCode::kUnsupported,
               "model.pt: a: has None as a key; only strings and integers are read");
  expect_error(checkpoint_of(protocol_2 + "}(" + text("a") + "N" + text("a") + "Nu."), StatusCode::kCorrupt,
               "model.pt: a: the key appears twice in its dictionary");
  expect_error(checkpoint_of(protocol_2 + global("torch", "Size") + "."), StatusCode::kUnsupported,
               "model.pt: the checkpoint: is a function or type, not a value");
  std::string storage =
      "(" + text("storage") + global("torch", "FloatStorage") + text("0") + text("cpu") + "K\x06tQ";
  expect_error(checkpoint_of(protocol_2 + storage + "."), StatusCode::kUnsupported,
               "model.pt: the checkpoint: is a storage without a tensor");
}

TEST(HostileZip, IsNotOne) {
  expect_error("", StatusCode::kCorrupt, "model.pt: is not a PyTorch checkpoint, or it is truncated: no zip");
  expect_error("hello", StatusCode::kCorrupt, "model.pt: is not a PyTorch checkpoint");
  expect_error(
      "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e\x80\x02"s, StatusCode::kUnsupported,
      "model.pt: was written in the format before PyTorch 1.6; load it with torch.load and re-save it "
      "with torch.save(..., _use_new_zipfile_serialization=True)");
  expect_error(zip_of({}), StatusCode::kCorrupt, "model.pt: is");
  expect_error(zip_of({{.name = "arr_0.npy", .content = "x"}}), StatusCode::kCorrupt,
               "model.pt: is a zip archive without data.pkl: not a file of torch.save");
  expect_error(zip_of({{.name = "m/data.pkl", .content = "x"}, {.name = "m/constants.pkl", .content = "x"}}),
               StatusCode::kUnsupported, "model.pt: is a TorchScript archive (torch.jit.save)");
  expect_error(
      zip_of({{.name = "m/data.pkl", .content = "x"}, {.name = "m/code/__torch__.py", .content = "x"}}),
      StatusCode::kUnsupported, "model.pt: is a TorchScript archive (torch.jit.save)");
}

TEST(HostileZip, ByteOrder) {
  auto with_order = [](const std::string& order) {
    return zip_of(
        {{.name = "m/data.pkl", .content = protocol_2 + "N."}, {.name = "m/byteorder", .content = order}});
  };
  EXPECT_TRUE(read(with_order("little")).ok());
  expect_error(with_order("big"), StatusCode::kUnsupported, "model.pt: was written on a big-endian machine");
  expect_error(with_order("odd"), StatusCode::kCorrupt, "model.pt: record byteorder says neither");
  expect_error(with_order(std::string(100, 'l')), StatusCode::kResourceExhausted,
               "model.pt: record byteorder claims 100 bytes; at most 16 are read");
}

TEST(HostileZip, EveryTruncationIsAnError) {
  std::string whole = checkpoint_of(state_dict_of({}));
  ASSERT_TRUE(read(whole).ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error(whole.substr(0, size), StatusCode::kCorrupt,
                 "model.pt: is not a PyTorch checkpoint, or it is truncated");
  }
}

TEST(HostileZip, RecordsThatClaimMoreThanTheFile) {
  std::string pickle = state_dict_of({});
  expect_error(zip_of({{.name = "m/data.pkl", .content = pickle},
                       {.name = "m/data/0", .content = "x", .claimed_stored_size = 0x7fffffff}}),
               StatusCode::kCorrupt,
               "model.pt: record m/data/0 claims 2147483647 bytes, more than the file has");
  expect_error(zip_of({{.name = "m/data.pkl", .content = pickle},
                       {.name = "m/data/0", .content = "x", .claimed_size = 0x7fffffff}}),
               StatusCode::kCorrupt, "model.pt: record m/data/0 claims 2147483647 bytes");
}

TEST(HostileZip, Bombs) {
  std::string zeros(64 << 20, '\0');
  std::string bomb = testing_files::deflated(zeros);
  ASSERT_LT(bomb.size(), std::size_t{80} << 10);
  // As a storage: never inflated.
  expect_error(zip_of({{.name = "m/data.pkl", .content = state_dict_of({})},
                       {.name = "m/data/0", .content = bomb, .method = 8, .claimed_size = 64 << 20}}),
               StatusCode::kUnsupported, "model.pt: tensor fc1.weight: record data/0 is compressed");
  // As the pickle: honest about 4 GB, or lying that it is small.
  expect_error(zip_of({{.name = "m/data.pkl", .content = bomb, .method = 8, .claimed_size = 0xfffffff0}}),
               StatusCode::kResourceExhausted,
               "model.pt: record data.pkl claims 4294967280 bytes; at most 67108864 are read");
  expect_error(zip_of({{.name = "m/data.pkl", .content = bomb, .method = 8, .claimed_size = 1000}}),
               StatusCode::kCorrupt, "model.pt: record data.pkl");
  // A claim of more than comes out, and memory follows what comes out.
  expect_error(zip_of({{.name = "m/data.pkl",
                        .content = testing_files::deflated("x"),
                        .method = 8,
                        .claimed_size = kMaxPickleBytes}}),
               StatusCode::kCorrupt, "model.pt: record data.pkl");
}

TEST(HostileZip, ChecksumsAreVerified) {
  expect_error(zip_of({{.name = "m/data.pkl", .content = protocol_2 + "N.", .checksum = 1}}),
               StatusCode::kCorrupt, "model.pt: record data.pkl cannot be read: CRC error");
}

TEST(HostileZip, RecordNames) {
  const std::string pickle = protocol_2 + "N.";
  expect_error(zip_of({{.name = "m/data.pkl", .content = pickle}, {.name = "m/data.pkl", .content = "x"}}),
               StatusCode::kCorrupt, "model.pt: two records are called m/data.pkl");
  expect_error(zip_of({{.name = "m/data.pkl", .content = pickle}, {.name = "n/data.pkl", .content = "x"}}),
               StatusCode::kCorrupt, "model.pt: has two pickles, n/data.pkl and m/data.pkl");
  for (const char* name : {"/etc/passwd", "../data.pkl", "m/../../x", "m/..", "m\\data.pkl"}) {
    expect_error(zip_of({{.name = "m/data.pkl", .content = pickle}, {.name = name, .content = "x"}}),
                 StatusCode::kCorrupt,
                 "model.pt: record name '"s + name + "' has no place in a PyTorch checkpoint");
  }
  // data.pkl deeper down is some other file.
  expect_error(zip_of({{.name = "m/n/data.pkl", .content = pickle}}), StatusCode::kCorrupt,
               "model.pt: is a zip archive without data.pkl");
  EXPECT_TRUE(read(zip_of({{.name = "a..b/data.pkl", .content = pickle}})).ok());
}

/// A good archive of one record in the form for more than 65535, whose end claims `entries`.
std::string zip64_of_one(std::uint64_t entries) {
  std::string file = zip_of({{.name = "m/data.pkl", .content = protocol_2 + "N."}});
  file.resize(file.size() - 22);
  std::size_t directory = file.find("PK\x01\x02");
  std::string end64 = "PK\x06\x06" + little_endian(44, 8) + little_endian(45, 2) + little_endian(45, 2) +
                      little_endian(0, 8) + little_endian(entries, 8) + little_endian(entries, 8) +
                      little_endian(file.size() - directory, 8) + little_endian(directory, 8);
  std::string locator =
      "PK\x06\x07" + little_endian(0, 4) + little_endian(file.size(), 8) + little_endian(1, 4);
  std::string end = "PK\x05\x06" + little_endian(0, 4) + little_endian(0xffff, 2) + little_endian(0xffff, 2) +
                    little_endian(0xffffffff, 4) + little_endian(0xffffffff, 4) + little_endian(0, 2);
  return file + end64 + locator + end;
}

TEST(HostileZip, ClaimsOfMillionsOfRecords) {
  EXPECT_TRUE(read(zip64_of_one(1)).ok());
  for (std::uint64_t entries : {2ull, 1ull << 24, 1ull << 32, 1ull << 56, ~0ull}) {
    expect_error(zip64_of_one(entries), StatusCode::kCorrupt, "model.pt: is not a PyTorch checkpoint");
  }
}

TEST(HostileZip, PathsThatCannotBeRead) {
  EXPECT_EQ(read_checkpoint("/no/such/model.pt").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(read_state_dict("/no/such/model.pt").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(read_checkpoint("/tmp").status().code(), StatusCode::kIo);
}

}  // namespace
}  // namespace zeropoint::toolchain
