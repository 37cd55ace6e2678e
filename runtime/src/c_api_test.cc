#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>

#include "format/program_of_all_kinds_for_test.h"
#include "zeropoint/program_file.h"
#include "zeropoint/reference.h"
#include "zeropoint/zeropoint.h"

namespace zeropoint {
namespace {

using testing_programs::images_for_all_kinds;
using testing_programs::program_of_all_kinds;

class CApi : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::byte> file = *serialize(program_of_all_kinds());
    ASSERT_EQ(zp_program_parse(file.data(), file.size(), &program_), ZP_OK) << zp_last_error();
    ASSERT_EQ(zp_session_create(program_, nullptr, &session_), ZP_OK) << zp_last_error();
  }
  void TearDown() override {
    zp_session_free(session_);
    zp_program_free(program_);
  }

  zp_program* program_ = nullptr;
  zp_session* session_ = nullptr;
};

TEST_F(CApi, DescribesTheProgram) {
  EXPECT_EQ(zp_program_input_count(program_), 1U);
  EXPECT_EQ(zp_program_output_count(program_), 4U);
  zp_tensor_info info{};
  ASSERT_EQ(zp_program_input(program_, 0, &info), ZP_OK);
  EXPECT_STREQ(info.name, "image");
  EXPECT_EQ(info.type, ZP_FLOAT32);
  ASSERT_EQ(info.rank, 4);
  EXPECT_EQ(info.shape[0], -1);
  EXPECT_EQ(info.shape[3], 6);
  ASSERT_EQ(zp_program_output(program_, 0, &info), ZP_OK);
  EXPECT_EQ(info.rank, -1);
  ASSERT_EQ(zp_program_output(program_, 3, &info), ZP_OK);
  EXPECT_EQ(info.type, ZP_INT8);
}

TEST_F(CApi, RunsAsTheReferenceDoes) {
  for (std::int64_t batch : {1, 3, 2}) {
    Tensor images = images_for_all_kinds(batch);
    std::vector<Tensor> expected = *run_reference(program_of_all_kinds(), std::span(&images, 1));
    ASSERT_EQ(zp_session_prepare_batch(session_, batch), ZP_OK) << zp_last_error();
    std::vector<Tensor> outputs;
    std::vector<void*> memory;
    std::vector<std::size_t> sizes;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      zp_tensor_info info{};
      std::size_t bytes = 0;
      ASSERT_EQ(zp_session_output(session_, i, &info, &bytes), ZP_OK) << zp_last_error();
      ASSERT_EQ(Shape(info.shape, info.shape + info.rank), expected[i].shape());
      ASSERT_EQ(bytes, expected[i].byte_size());
      outputs.emplace_back(expected[i].type(), expected[i].shape());
      memory.push_back(outputs.back().bytes());
      sizes.push_back(bytes);
    }
    const void* input = images.bytes();
    std::size_t input_bytes = images.byte_size();
    ASSERT_EQ(zp_session_run(session_, &input, &input_bytes, 1, memory.data(), sizes.data(), sizes.size()),
              ZP_OK)
        << zp_last_error();
    EXPECT_EQ(outputs, expected);
  }
}

TEST_F(CApi, SaysWhatIsWrong) {
  zp_program* none = nullptr;
  EXPECT_EQ(zp_program_load("/no/such.zpm", &none), ZP_NOT_FOUND);
  EXPECT_NE(std::string(zp_last_error()).find("/no/such.zpm"), std::string::npos);
  EXPECT_EQ(zp_program_load(nullptr, &none), ZP_INVALID_ARGUMENT);
  EXPECT_EQ(zp_program_parse("ZPM?", 4, &none), ZP_CORRUPT);
  EXPECT_EQ(none, nullptr);

  zp_tensor_info info{};
  EXPECT_EQ(zp_program_input(program_, 1, &info), ZP_INVALID_ARGUMENT);
  EXPECT_EQ(zp_program_output(nullptr, 0, &info), ZP_INVALID_ARGUMENT);
  EXPECT_EQ(zp_session_output(session_, 0, &info, nullptr), ZP_INVALID_ARGUMENT);  // not prepared

  const void* input = nullptr;
  std::size_t bytes = 0;
  EXPECT_EQ(zp_session_run(session_, &input, &bytes, 1, nullptr, nullptr, 0), ZP_INVALID_ARGUMENT);
  std::int64_t shape[] = {1, 3, 6, 6};
  const std::int64_t* shapes[] = {shape};
  std::size_t rank = 4;
  EXPECT_EQ(zp_session_prepare(session_, shapes, &rank, 1), ZP_INVALID_ARGUMENT);
  EXPECT_NE(std::string(zp_last_error()).find("image"), std::string::npos);
  EXPECT_EQ(zp_session_prepare(session_, shapes, &rank, 0), ZP_INVALID_ARGUMENT);
  EXPECT_EQ(zp_session_prepare_batch(session_, -7), ZP_INVALID_ARGUMENT);
}

TEST_F(CApi, OptionsAreChecked) {
  zp_session* session = nullptr;
  zp_session_options options{sizeof options, 2, "scalar", 0};
  ASSERT_EQ(zp_session_create(program_, &options, &session), ZP_OK) << zp_last_error();
  EXPECT_STREQ(zp_session_isa(session), "scalar");
  zp_session_free(session);
  options.isa = "sse9";
  EXPECT_EQ(zp_session_create(program_, &options, &session), ZP_INVALID_ARGUMENT);
  options = {sizeof options, -1, nullptr, 0};
  EXPECT_EQ(zp_session_create(program_, &options, &session), ZP_INVALID_ARGUMENT);
  options = {0, 1, nullptr, 0};
  EXPECT_EQ(zp_session_create(program_, &options, &session), ZP_INVALID_ARGUMENT);
  options = {sizeof options, 1, nullptr, 1};
  ASSERT_EQ(zp_session_create(program_, &options, &session), ZP_OK);
  EXPECT_EQ(zp_session_prepare_batch(session, 1), ZP_RESOURCE_EXHAUSTED);
  zp_session_free(session);
  options.size = offsetof(zp_session_options, memory_limit);  // of version 1, which had no limit
  ASSERT_EQ(zp_session_create(program_, &options, &session), ZP_OK);
  EXPECT_EQ(zp_session_prepare_batch(session, 1), ZP_OK);
  zp_session_free(session);
}

// A shape of so many axes that no list holds them is nothing that the library expects.
TEST_F(CApi, RefusesShapesOfMoreAxesThanThereCanBe) {
  const std::int64_t extent = 1;
  const std::int64_t* shapes[] = {&extent};
  std::size_t rank = std::size_t{1} << 60;
  EXPECT_EQ(zp_session_prepare(session_, shapes, &rank, 1), ZP_INVALID_ARGUMENT);
  EXPECT_STREQ(zp_last_error(), "shape 0 has 1152921504606846976 axes, more than 1024");
}

TEST_F(CApi, ErrorsBelongToTheirThread) {
  ASSERT_NE(zp_session_prepare_batch(session_, -7), ZP_OK);
  std::string mine = zp_last_error();
  std::string theirs = "?";
  std::thread([&] { theirs = zp_last_error(); }).join();
  EXPECT_EQ(theirs, "");
  EXPECT_EQ(zp_last_error(), mine);
}

TEST_F(CApi, SessionsOutliveTheirProgram) {
  zp_program_free(program_);
  program_ = nullptr;
  EXPECT_EQ(zp_session_prepare_batch(session_, 1), ZP_OK);
}

TEST(CApiVersions, AreThoseOfTheHeader) {
  EXPECT_EQ(zp_api_version(), ZP_API_VERSION);
  EXPECT_STREQ(zp_version(), "0.1.0");
}

}  // namespace
}  // namespace zeropoint
