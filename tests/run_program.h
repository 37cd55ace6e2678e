#pragma once

// Runs the program as a user does.

#include <sys/wait.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace zeropoint {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A folder of its own for each test, gone afterwards, and the program run in it by the shell, without real
/// data.
class ProgramTest : public testing::Test {
 protected:
  ProgramTest()
      : folder_(testing::TempDir() + "zeropoint_program_" +
                testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
                std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~ProgramTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] Outcome run(const std::string& arguments) const {
    // Outside of the folder, so that the test sees what the program left in it.
    std::string out = folder_ + ".out";
    std::string err = folder_ + ".err";
    std::string command = "cd '" + folder_ + "' && ZEROPOINT_DATA= '" ZP_PROGRAM "' " + arguments + " >'" +
                          out + "' 2>'" + err + "' </dev/null";
    int status = std::system(command.c_str());
    Outcome outcome{WIFEXITED(status) ? WEXITSTATUS(status) : -1, content_of(out), content_of(err)};
    std::filesystem::remove(out);
    std::filesystem::remove(err);
    return outcome;
  }

  /// Runs, and expects exit code 0 and nothing on stderr, which is no terminal here. Returns what was
  /// printed.
  [[nodiscard]] std::string succeed(const std::string& arguments) const {
    Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 0) << arguments << "\n" << outcome.err;
    EXPECT_EQ(outcome.err, "") << arguments;
    return outcome.out;
  }

  /// Runs, and expects `code`, one line on stderr, nothing on stdout. Returns the line.
  [[nodiscard]] std::string fail(int code, const std::string& arguments) const {
    Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << arguments << "\n" << outcome.out << outcome.err;
    EXPECT_EQ(outcome.out, "") << arguments;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << arguments << "\n"
                                                                           << outcome.err;
    return outcome.err;
  }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string folder_;
};

}  // namespace zeropoint
