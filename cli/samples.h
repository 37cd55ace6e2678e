#pragma once

// The samples that a model is evaluated or calibrated on, from whatever files hold them.

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <vector>

#include "inputs.h"
#include "preprocess_options.h"
#include "zeropoint/status.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::cli {

enum class DataFormat { kAuto, kMnist, kCifar10, kCifar100, kImages, kArrays };

struct SampleOptions {
  DataOptions data;
  DataFormat format = DataFormat::kAuto;
  std::string labels;
  PreprocessOptions preprocess;
  std::string tokens;
  ElementType token_type = ElementType::kUint16;
  std::int64_t window = 0;
  std::int64_t stride = 0;
  std::vector<std::string> inputs;  ///< "NAME=FILE" of further inputs

  void add(CLI::App& command);
  /// Whether any samples are named; else they are digits.
  [[nodiscard]] bool given() const;
};

struct Samples {
  std::shared_ptr<const toolchain::Dataset> data;
  std::string preprocess;  ///< what is done to them, for people; empty: nothing
  bool is_text = false;    ///< windows of tokens
};

/// The samples of every input of `graph`, in order, of the type and shape that it takes: arrays for those
/// that
/// --input names, and what the other options say for the one that is left. Errors name the file, or both
/// shapes where they do not fit.
Result<std::vector<Samples>> load_inputs(const SampleOptions& options, toolchain::Split split,
                                         const toolchain::Graph& graph);

}  // namespace zeropoint::cli
