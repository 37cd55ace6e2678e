#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace zeropoint::toolchain {

/// A path below the folder for temporary files that no other test uses, also none that runs at the same time.
/// Nothing is made there.
inline std::string temporary_path_for_test(const std::string& what) {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  return testing::TempDir() + "zeropoint_" + (test == nullptr ? "" : std::string(test->name()) + "_") + what +
         "_" + std::to_string(::getpid());
}

}  // namespace zeropoint::toolchain
