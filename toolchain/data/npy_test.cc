#include "zeropoint/toolchain/npy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "data/npy_for_test.h"
#include "io/temporary_path_for_test.h"
#include "zeropoint/half.h"
#include "zeropoint/toolchain/array_source.h"
#include "zeropoint/toolchain/file.h"

namespace zeropoint::toolchain {
namespace {

using namespace std::string_literals;

std::string dictionary(const std::string& descr, const std::string& shape,
                       const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

template <typename T>
std::vector<T> values_of(const Tensor& tensor) {
  return {tensor.data<T>().begin(), tensor.data<T>().end()};
}

TEST(Npy, ReadsWhatNumPyWrites) {
  // numpy.save of numpy.array([[1, -2, 3]], '<i2') with NumPy 1.24, byte for byte.
  std::string file = "\x93NUMPY\x01\x00v\x00"s +
                     "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 3), }" + std::string(58, ' ') +
                     "\n" + "\x01\x00\xfe\xff\x03\x00"s;
  ASSERT_EQ(file.size(), 134U);
  Result<Tensor> tensor = parse_npy(bytes_of(file));
  ASSERT_TRUE(tensor.ok()) << tensor.status().message();
  EXPECT_EQ(tensor->type(), ElementType::kInt16);
  EXPECT_EQ(tensor->shape(), (Shape{1, 3}));
  EXPECT_EQ(values_of<std::int16_t>(*tensor), (std::vector<std::int16_t>{1, -2, 3}));
  Result<std::vector<std::byte>> written = to_npy(*tensor);
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(written->data()), written->size()), file);
}

TEST(Npy, ReadsEitherByteOrderAndEveryVersion) {
  for (int version : {1, 2, 3}) {
    Result<Tensor> tensor =
        parse_npy(bytes_of(npy_file(dictionary(">i4", "(2,)"), "\0\0\1\0\xff\xff\xff\xfe"s, version)));
    ASSERT_TRUE(tensor.ok()) << tensor.status().message();
    EXPECT_EQ(values_of<std::int32_t>(*tensor), (std::vector<std::int32_t>{256, -2}));
  }
  Result<Tensor> half = parse_npy(bytes_of(npy_file(dictionary(">f2", "(1,)"), "\x3c\x00"s)));
  ASSERT_TRUE(half.ok());
  EXPECT_EQ(widen(*half).data<float>()[0], 1.0f);
}

TEST(Npy, TurnsFortranOrderRound) {
  // [[1, 2, 3], [4, 5, 6]] by columns; and [2, 2, 2] counting up in its own order.
  Result<Tensor> tensor = parse_npy(bytes_of(npy_file(dictionary("|u1", "(2, 3)", "True"), "\1\4\2\5\3\6"s)));
  ASSERT_TRUE(tensor.ok()) << tensor.status().message();
  EXPECT_EQ(values_of<std::uint8_t>(*tensor), (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6}));
  tensor = parse_npy(bytes_of(npy_file(dictionary("|u1", "(2, 2, 2)", "True"), "\0\1\2\3\4\5\6\7"s)));
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ(values_of<std::uint8_t>(*tensor), (std::vector<std::uint8_t>{0, 4, 2, 6, 1, 5, 3, 7}));
}

TEST(Npy, ReadsScalarsEmptyArraysAndBooleans) {
  Result<Tensor> scalar = parse_npy(bytes_of(npy_file(dictionary("|i1", "()"), "\x05"s)));
  ASSERT_TRUE(scalar.ok()) << scalar.status().message();
  EXPECT_EQ(scalar->rank(), 0);
  Result<Tensor> empty = parse_npy(bytes_of(npy_file(dictionary("<f8", "(3, 0)"), "")));
  ASSERT_TRUE(empty.ok()) << empty.status().message();
  EXPECT_EQ(empty->shape(), (Shape{3, 0}));
  Result<Tensor> flags = parse_npy(bytes_of(npy_file(dictionary("|b1", "(3,)"), "\0\1\xff"s)));
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->bytes()[2], std::byte{1});
}

TEST(Npy, ComesBackAsItWas) {
  std::vector<Tensor> tensors;
  tensors.push_back(Tensor::of<float>({2, 2}, {1.5f, -0.0f, std::numeric_limits<float>::infinity(), NAN}));
  tensors.push_back(Tensor::of<double>({1, 1, 2}, {1e300, 5e-324}));
  tensors.push_back(Tensor::of<std::int8_t>({3}, {-128, 0, 127}));
  tensors.push_back(Tensor::of<std::uint8_t>({3}, {0, 1, 255}));
  tensors.push_back(Tensor::of<std::int16_t>({1}, {-32768}));
  tensors.push_back(Tensor::of<std::uint16_t>({1}, {65535}));
  tensors.push_back(Tensor::of<std::int32_t>({1}, {INT32_MIN}));
  tensors.push_back(Tensor::of<std::uint32_t>({1}, {UINT32_MAX}));
  tensors.push_back(Tensor::of<std::int64_t>({1}, {INT64_MIN}));
  tensors.push_back(Tensor::of<std::uint64_t>({}, {UINT64_MAX}));
  tensors.push_back(narrow(Tensor::of<float>({2}, {1, 65504}), ElementType::kFloat16));
  tensors.emplace_back(ElementType::kBool, Shape{0, 2});
  std::string path = temporary_path_for_test("npy");
  NamedTensors named;
  for (const Tensor& tensor : tensors) {
    ASSERT_TRUE(write_npy(path, tensor).ok());
    Result<Tensor> back = read_npy(path);
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(*back, tensor);
    named.emplace_back("array" + std::to_string(named.size()), tensor);
  }
  ASSERT_TRUE(write_npz(path, named).ok());
  for (const auto& [name, tensor] : named) {
    Result<Tensor> back = read_npz(path, name);
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(*back, tensor);
  }
  Result<Tensor> missing = read_npz(path, "array99");
  EXPECT_EQ(missing.status().code(), StatusCode::kNotFound);
  EXPECT_NE(missing.status().message().find("array10"), std::string::npos);
  std::filesystem::remove(path);
}

TEST(Npy, WritesWhatNumPyHasNoNameForAsSomethingWider) {
  Result<std::vector<std::byte>> bytes = to_npy(narrow(Tensor::of<float>({1}, {2}), ElementType::kBFloat16));
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(*parse_npy(*bytes), Tensor::of<float>({1}, {2}));
}

void expect_error(const std::string& file, StatusCode code, const std::string& part) {
  Result<Tensor> tensor = parse_npy(bytes_of(file));
  ASSERT_FALSE(tensor.ok()) << part;
  EXPECT_EQ(tensor.status().code(), code) << tensor.status().message();
  EXPECT_NE(tensor.status().message().find(part), std::string::npos) << tensor.status().message();
}

TEST(Npy, RefusesHeadersThatLie) {
  expect_error(npy_file(dictionary("<f4", "(2, 3)"), std::string(23, 'x')), StatusCode::kCorrupt,
               "float32 [2, 3], and 23 bytes follow");
  expect_error(npy_file(dictionary("<f4", "(2, 3)"), std::string(25, 'x')), StatusCode::kCorrupt,
               "25 bytes follow");
  for (const char* shape : {"(9223372036854775807, 9223372036854775807)", "(0, 9223372036854775807, 9)",
                            "(4611686018427387904, 4)", "(1099511627776,)"}) {
    expect_error(npy_file(dictionary("<f4", shape), ""), StatusCode::kCorrupt, "bytes follow");
  }
  for (const char* shape :
       {"(-1,)", "(3)", "(1.5,)", "(,)", "(1 2)", "(1,2", "[1]", "(True,)", "(99999999999999999999,)"}) {
    expect_error(npy_file(dictionary("|u1", shape), "xxx"), StatusCode::kCorrupt,
                 "the .npy header is damaged");
  }
  std::string many = "(";
  for (int i = 0; i < 40; ++i) {
    many += "1, ";
  }
  expect_error(npy_file(dictionary("|u1", many + ")"), "x"), StatusCode::kUnsupported, "more than 32 axes");
}

TEST(Npy, RefusesOtherDictionaries) {
  for (const char* text :
       {"", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "{'descr': '<f4",
        "{'descr' '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} 1", "['descr']"}) {
    expect_error(npy_file(text, "xxxx"), StatusCode::kCorrupt, "the .npy header is damaged");
  }
}

TEST(Npy, RefusesElementsThatAreNoNumbers) {
  for (const char* descr :
       {"<c8", "<U4", "|S3", "|O", "<f16", "|V4", "<i3", "", "f4", "|f4", "=f4", "<M8[ns]"}) {
    expect_error(npy_file(dictionary(descr, "(1,)"), "xxxx"), StatusCode::kUnsupported, "of NumPy type");
  }
  expect_error(npy_file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "xxxx"),
               StatusCode::kUnsupported, "records");
}

TEST(Npy, RefusesWhatIsCutOffOrSomethingElse) {
  std::string good = npy_file(dictionary("<f4", "(1,)"), "xxxx");
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_npy(bytes_of(good.substr(0, size))).ok()) << size;
  }
  expect_error("PK\3\4 this is no array", StatusCode::kCorrupt, "not a .npy file");
  expect_error("\x93NUMPY\x04\x00v\x00"s, StatusCode::kUnsupported, "version is 4.0");
  expect_error("\x93NUMPY\x02\x00\xff\xff\xff\xff{"s, StatusCode::kCorrupt, "claims 4294967295 bytes");
}

TEST(Npz, RefusesWhatIsNoArchiveOfArrays) {
  std::string path = temporary_path_for_test("npz");
  EXPECT_NE(parse_npz(bytes_of("nothing"), "x").status().message().find("is not a .npz archive"),
            std::string::npos);
  EXPECT_FALSE(npz_names({}).ok());
  EXPECT_FALSE(write_npz(path, {{"", Tensor()}}).ok());
  EXPECT_FALSE(write_npz(path, {{"a", Tensor()}, {"a", Tensor()}}).ok());
  EXPECT_FALSE(write_npz(path, {{"../a", Tensor()}}).ok());
  EXPECT_FALSE(std::filesystem::exists(path));
  // Every byte of the archive is either its structure or under a checksum.
  ASSERT_TRUE(write_npz(path, {{"x", Tensor::of<float>({3}, {1, 2, 3})}}).ok());
  std::vector<std::byte> good = *read_file(path);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_npz(std::span(good).first(size), "x").ok()) << size;
  }
  good[good.size() / 2] ^= std::byte{0xff};
  Result<Tensor> damaged = parse_npz(good, "x");
  EXPECT_FALSE(damaged.ok());
  std::filesystem::remove(path);
}

TEST(ArraySource, ReadsRowsFromDiskAsFromMemory) {
  std::string path = temporary_path_for_test("rows");
  // Big-endian, so that bytes are turned; then the same in Fortran order, which is read as a whole.
  std::string c_order = npy_file(dictionary(">u2", "(2, 2)"), "\0\1\0\2\0\3\0\4"s);
  std::string fortran_order = npy_file(dictionary(">u2", "(2, 2)", "True"), "\0\1\0\3\0\2\0\4"s);
  for (const std::string& file : {c_order, fortran_order}) {
    ASSERT_TRUE(write_file(path, file).ok());
    Result<std::shared_ptr<const ArraySource>> source = open_npy(path);
    ASSERT_TRUE(source.ok()) << source.status().message();
    EXPECT_EQ((*source)->shape(), (Shape{2, 2}));
    EXPECT_EQ((*source)->row_bytes(), 4U);
    std::vector<std::uint16_t> row(2);
    ASSERT_TRUE((*source)->read(1, std::as_writable_bytes(std::span(row))).ok());
    EXPECT_EQ(row, (std::vector<std::uint16_t>{3, 4}));
    std::vector<std::uint16_t> two(4);
    EXPECT_FALSE((*source)->read(1, std::as_writable_bytes(std::span(two))).ok());
    EXPECT_FALSE((*source)->read(-1, std::as_writable_bytes(std::span(row))).ok());
    EXPECT_FALSE((*source)->read(0, std::as_writable_bytes(std::span(row).first(1))).ok());
  }
  ASSERT_TRUE(write_file(path, std::string("\1\0\2\0\3", 5)).ok());
  EXPECT_EQ(open_raw(path, ElementType::kUint16).status().code(), StatusCode::kCorrupt);
  ASSERT_TRUE(write_file(path, std::string("\1\0\2\0", 4)).ok());
  EXPECT_EQ((*open_raw(path, ElementType::kUint16))->rows(), 2);
  EXPECT_EQ(open_npy(path).status().code(), StatusCode::kCorrupt);
  EXPECT_FALSE(array_in_memory("one", Tensor()).ok());
  std::filesystem::remove(path);
  EXPECT_EQ(open_npy(path).status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(open_npy(testing::TempDir()).ok());
}

}  // namespace
}  // namespace zeropoint::toolchain
