#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <string>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::cli {

/// How an ONNX model is written.
struct WriteOptions {
  enum class Format : std::uint8_t { kAsItIs, kQdq, kQOperator };
  Format format = Format::kAsItIs;
  std::int64_t opset = 0;  ///< 0: the lowest that has the graph
  bool external_data = false;

  void add(CLI::App& command);
  [[nodiscard]] Status write(const toolchain::Graph& graph, const std::string& path) const;
};

}  // namespace zeropoint::cli
