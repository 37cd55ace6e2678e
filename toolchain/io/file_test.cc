#include "zeropoint/toolchain/file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "io/temporary_path_for_test.h"

namespace zeropoint::toolchain {
namespace {

class File : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::string folder_ = temporary_path_for_test("files");
};

TEST_F(File, ReadsWhatWasWritten) {
  std::string path = folder_ + "/a";
  ASSERT_TRUE(write_file(path, "first").ok());
  ASSERT_TRUE(write_file(path, "second").ok());
  Result<std::vector<std::byte>> content = read_file(path);
  ASSERT_TRUE(content.ok());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(content->data()), content->size()), "second");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(File, SaysWhatCannotBeRead) {
  EXPECT_EQ(read_file(folder_ + "/none").status().code(), StatusCode::kNotFound);
  EXPECT_NE(read_file(folder_ + "/none").status().message().find("/none: cannot open"), std::string::npos);
  EXPECT_EQ(read_file(folder_).status().code(), StatusCode::kIo);
}

TEST_F(File, LeavesNothingBehindWhenWritingFails) {
  std::filesystem::create_directories(folder_ + "/taken");
  EXPECT_FALSE(write_file(folder_ + "/taken", "x").ok());
  EXPECT_FALSE(write_file(folder_ + "/no/such/folder/a", "x").ok());
  EXPECT_EQ(entries(), 1u);
}

TEST_F(File, KeepsLinksAndDevices) {
  std::string target = folder_ + "/target";
  std::string link = folder_ + "/link";
  ASSERT_TRUE(write_file(target, "old").ok());
  std::filesystem::create_symlink(target, link);
  ASSERT_TRUE(write_file(link, "new!").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(read_file(target)->size(), 4u);
  EXPECT_TRUE(write_file("/dev/null", "x").ok());
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(File, ReportsAFullDisk) {
  if (!std::filesystem::is_character_file("/dev/full")) {
    GTEST_SKIP() << "this system has no /dev/full";
  }
  EXPECT_EQ(write_file("/dev/full", "x").message(), "/dev/full: cannot write: No space left on device");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

}  // namespace
}  // namespace zeropoint::toolchain
