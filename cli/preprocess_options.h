#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/preprocess.h"

namespace zeropoint::cli {

/// --preprocess FILE, and an option for each of its keys, which replaces what the file says.
struct PreprocessOptions {
  std::string file;
  std::string resize;
  std::string interpolation;
  std::string crop;
  std::string channels;
  std::string scale;
  std::vector<float> mean;
  std::vector<float> std;
  std::string layout;

  void add(CLI::App& command);
  /// Nothing when none of the options was given.
  [[nodiscard]] Result<std::optional<toolchain::Preprocess>> preprocess() const;
};

}  // namespace zeropoint::cli
