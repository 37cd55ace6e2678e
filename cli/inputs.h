#pragma once

// The options that several verbs share: which model, which data, how to print.

#include <CLI/App.hpp>
#include <memory>
#include <string>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/mnist.h"

namespace zeropoint::cli {

struct ModelOptions {
  std::string path;
  std::string architecture = "lenet";
};
/// `programs`: the verb takes compiled ones too.
void add_model_options(CLI::App& command, ModelOptions& options, bool programs = false);

/// An ONNX model, or a PyTorch state dict put into the architecture that was named. Told apart by their
/// content. Operators on integers come in QDQ form.
Result<toolchain::Graph> load_model(const ModelOptions& options);
/// Whether the file at `path` holds a compiled program.
bool is_program(const std::string& path);

/// The same with the operators that the file has.
Result<toolchain::Graph> read_model(const ModelOptions& options);

struct DataOptions {
  std::string folder;      ///< of MNIST; empty: $ZEROPOINT_DATA
  bool synthetic = false;  ///< the embedded digits, even when there is a folder
  std::uint64_t seed = 1;  ///< of the embedded digits
};
void add_data_options(CLI::App& command, DataOptions& options);

/// The training or test images of `options`: MNIST from the folder, or the embedded digits (10,000 to train,
/// 2,000 to test, drawn from different seeds) when no folder is known.
Result<std::shared_ptr<const toolchain::Dataset>> load_data(const DataOptions& options,
                                                            toolchain::Split split);

/// The first `count` samples of `data`; all for 0.
Result<std::shared_ptr<const toolchain::Dataset>> limited(std::shared_ptr<const toolchain::Dataset> data,
                                                          std::int64_t count);

/// --threads and --json.
void add_run_options(CLI::App& command, int& threads, bool& json);

/// $ZEROPOINT_DATA, or empty.
std::string data_folder_from_environment();

}  // namespace zeropoint::cli
