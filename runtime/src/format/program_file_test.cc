#include "zeropoint/program_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "format/program_of_all_kinds_for_test.h"
#include "format/same_program_for_test.h"
#include "reference/programs_for_test.h"
#include "zeropoint/reference.h"

namespace zeropoint {
namespace {

using namespace testing_programs;
using File = std::vector<std::byte>;

File file_of(const Program& program) {
  Result<File> file = serialize(program);
  EXPECT_TRUE(file.ok()) << file.status().message();
  return file.ok() ? *file : File();
}

std::shared_ptr<const Program> parsed(const File& file) {
  Result<std::shared_ptr<const Program>> program = parse_program(file);
  EXPECT_TRUE(program.ok()) << program.status().message();
  return program.ok() ? *program : std::make_shared<const Program>();
}

Status failure(const File& file) { return parse_program(file).status(); }

std::uint32_t metadata_size(const File& file) {
  std::uint32_t size = 0;
  std::memcpy(&size, file.data(), sizeof size);
  return size;
}

TEST(ProgramFile, EveryKindOfOperationComesBack) {
  Program program = program_of_all_kinds();
  File file = file_of(program);
  EXPECT_TRUE(is_program_file(file));
  EXPECT_EQ(file.size() % 64, 0U);
  std::shared_ptr<const Program> back = parsed(file);
  EXPECT_TRUE(same_programs(*back, program));
  EXPECT_EQ(file_of(*back), file);
  Tensor images = images_for_all_kinds(2);
  EXPECT_EQ(*run_reference(*back, std::span(&images, 1)), *run_reference(program, std::span(&images, 1)));
}

TEST(ProgramFile, EveryKindOfAttributeComesBack) {
  Program program = program_of(
      EvaluateOp{Op::kIdentity,
                 {{"int", std::int64_t{-5}},
                  {"float", -0.0F},
                  {"string", std::string("a\0b", 3)},
                  {"ints", std::vector<std::int64_t>{1, -2}},
                  {"floats", std::vector<float>{0.5F, -1.0F}},
                  {"strings", std::vector<std::string>{"x", "", "yz"}},
                  {"none", std::vector<std::string>{}},
                  {"tensor", std::make_shared<const Tensor>(Tensor::of<std::uint8_t>({2, 1}, {3, 250}))}},
                 {0},
                 {1}},
      {"a", ElementType::kFloat32, std::nullopt}, {"b", ElementType::kFloat32, std::nullopt});
  std::shared_ptr<const Program> back = parsed(file_of(program));
  EXPECT_TRUE(same_programs(*back, program));
  const auto& attributes = std::get<EvaluateOp>(back->operations[0]).attributes;
  EXPECT_TRUE(std::signbit(std::get<float>(attributes.at("float"))));
}

TEST(ProgramFile, ConstantsOfEveryTypeComeBack) {
  Program program = program_of_all_kinds();
  for (int number = 0; number < 32; ++number) {
    if (std::optional<ElementType> type = element_type_of(number)) {
      Tensor tensor(*type, {3, 50});
      tensor.bytes()[7] = std::byte{1};
      program.tensors.push_back({std::string(name_of(*type)), *type, tensor.shape(),
                                 std::make_shared<const Tensor>(std::move(tensor))});
    }
  }
  program.tensors.push_back({"empty", ElementType::kFloat32, Shape{0, 7},
                             std::make_shared<const Tensor>(ElementType::kFloat32, Shape{0, 7})});
  program.tensors.push_back(
      {"scalar", ElementType::kFloat32, Shape{}, std::make_shared<const Tensor>(Tensor())});
  EXPECT_TRUE(same_programs(*parsed(file_of(program)), program));
}

TEST(ProgramFile, NarrowWeightsArePackedAndEqualOnesWrittenOnce) {
  Rng rng(1);
  auto size_with = [&](std::int64_t least, std::int64_t most, std::size_t times) {
    Sequence numbers;
    Tensor weights = numbers.int8s({64, 1000}, least, most);
    LinearLayer layer{weights, std::vector<std::int64_t>(64), ElementType::kInt32, std::nullopt};
    Program program = program_of(FullyConnectedOp{0, 1, layer}, batched("x", ElementType::kInt8, {1000}),
                                 batched("y", ElementType::kInt32, {64}));
    for (std::size_t i = 1; i < times; ++i) {
      program.tensors.push_back(program.tensors[1]);
      program.operations.emplace_back(FullyConnectedOp{0, static_cast<TensorId>(i + 1), layer});
    }
    File file = file_of(program);
    EXPECT_TRUE(same_programs(*parsed(file), program));
    return file.size();
  };
  EXPECT_NEAR(static_cast<double>(size_with(-128, 127, 1)), 64000, 1500);
  EXPECT_NEAR(static_cast<double>(size_with(-8, 7, 1)), 32000, 1500);
  EXPECT_NEAR(static_cast<double>(size_with(-2, 1, 1)), 16000, 1500);
  EXPECT_NEAR(static_cast<double>(size_with(-8, 7, 3)), 32000, 4000);
}

TEST(ProgramFile, CopiesOfAProgramOutliveTheFile) {
  Program program = program_of_all_kinds();
  Program copy;
  {
    std::shared_ptr<const Program> loaded = parsed(file_of(program));
    copy = *loaded;
  }
  EXPECT_TRUE(same_programs(copy, program));
}

TEST(ProgramFile, IsMappedFromDisk) {
  Program program = program_of_all_kinds();
  File file = file_of(program);
  std::string path = testing::TempDir() + "program_file_test.zpm";
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  Result<std::shared_ptr<const Program>> loaded = load_program(path);
  std::filesystem::remove(path);  // what is mapped stays
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_TRUE(same_programs(**loaded, program));
}

TEST(ProgramFile, FilesThatCannotBeRead) {
  std::string folder = testing::TempDir();
  EXPECT_EQ(load_program(folder + "no_such.zpm").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(load_program(folder).status().code(), StatusCode::kIo);
  EXPECT_EQ(load_program("/dev/null").status().code(), StatusCode::kIo);
  std::string path = folder + "empty.zpm";
  std::ofstream(path, std::ios::binary).close();
  Status status = load_program(path).status();
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_NE(status.message().find(path), std::string::npos);
  std::filesystem::remove(path);
}

TEST(ProgramFile, ALaterVersionIsRefusedByNumber) {
  File file = file_of(program_of_all_kinds());
  // The root table's first field: the only uint32 of the file that is 1 and lies where the root points to.
  std::uint32_t root = 0;
  std::memcpy(&root, file.data() + 4, sizeof root);
  std::size_t at = 4 + root;
  bool found = false;
  for (; !found && at + 4 <= metadata_size(file); at += 4) {
    std::uint32_t value = 0;
    std::memcpy(&value, file.data() + at, sizeof value);
    if (value == kProgramFileVersion) {
      value = 7;
      std::memcpy(file.data() + at, &value, sizeof value);
      found = failure(file).code() == StatusCode::kUnsupported;
    }
  }
  ASSERT_TRUE(found);
  EXPECT_NE(failure(file).message().find("version 7"), std::string::npos);
}

TEST(ProgramFile, EveryTruncationIsRefused) {
  File file = file_of(program_of_all_kinds());
  for (std::size_t size = 0; size < file.size(); size += size < 64 ? 1 : 37) {
    Status status = failure(File(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)));
    ASSERT_EQ(status.code(), StatusCode::kCorrupt) << size;
  }
  file.push_back(std::byte{0});
  EXPECT_EQ(failure(file).code(), StatusCode::kCorrupt);
}

/// Without windows that reach so far that a run would take all memory there is, which is sound.
bool is_small(const Program& program) {
  auto small = [](const std::vector<std::int64_t>& values) {
    return std::all_of(values.begin(), values.end(), [](std::int64_t v) { return v > -1000 && v < 1000; });
  };
  return std::all_of(program.operations.begin(), program.operations.end(), [&](const Operation& operation) {
    if (const auto* conv = std::get_if<ConvOp>(&operation)) {
      return small(conv->window.pads_begin) && small(conv->window.pads_end) && small(conv->window.holes);
    }
    const auto* pool = std::get_if<AveragePoolOp>(&operation);
    return pool == nullptr || small(ints_attribute(pool->attributes, "kernel_shape"));
  });
}

/// Whatever a damaged file is taken for must be sound enough to run.
void run_if_it_parses(const File& file) {
  Result<std::shared_ptr<const Program>> program = parse_program(file);
  if (program.ok() && is_small(**program)) {
    Tensor images = images_for_all_kinds(1);
    (void)run_reference(**program, std::span(&images, 1));
  }
}

TEST(ProgramFile, EveryBitOfTheHeaderMayFlip) {
  File file = file_of(program_of_all_kinds());
  for (std::size_t bit = 0; bit < 8 * 64; ++bit) {
    std::byte mask{static_cast<unsigned char>(1U << (bit % 8))};
    file[bit / 8] ^= mask;
    run_if_it_parses(file);
    file[bit / 8] ^= mask;
  }
  EXPECT_TRUE(parse_program(file).ok());
}

TEST(ProgramFile, RandomBitsMayFlip) {
  File file = file_of(program_of_all_kinds());
  Rng rng(7);
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::int64_t> bits;
    for (std::int64_t count = pick(rng, 1, 3); count > 0; --count) {
      bits.push_back(pick(rng, 0, static_cast<std::int64_t>(8 * metadata_size(file)) - 1));
    }
    for (std::int64_t bit : bits) {
      file[static_cast<std::size_t>(bit / 8)] ^= std::byte{static_cast<unsigned char>(1U << (bit % 8))};
    }
    run_if_it_parses(file);
    for (std::int64_t bit : bits) {
      file[static_cast<std::size_t>(bit / 8)] ^= std::byte{static_cast<unsigned char>(1U << (bit % 8))};
    }
  }
  EXPECT_TRUE(parse_program(file).ok());
}

TEST(ProgramFile, UnsoundProgramsAreNotWritten) {
  Program program = program_of_all_kinds();
  std::get<QuantizeOp>(program.operations[0]).to.params.scale = -1;
  EXPECT_EQ(serialize(program).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace zeropoint
