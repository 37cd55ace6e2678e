#include "write_options.h"

#include <CLI/CLI.hpp>

#include "choice.h"
#include "zeropoint/toolchain/onnx.h"
#include "zeropoint/toolchain/qdq.h"

namespace zeropoint::cli {
namespace {

Result<toolchain::Graph> in_format(const toolchain::Graph& graph, WriteOptions::Format format) {
  switch (format) {
    case WriteOptions::Format::kQdq:
      return toolchain::to_qdq(graph);
    case WriteOptions::Format::kQOperator:
      return toolchain::to_qoperator(graph);
    case WriteOptions::Format::kAsItIs:
      break;
  }
  return graph;
}

}  // namespace

void WriteOptions::add(CLI::App& command) {
  Choices<Format> formats{{"qdq", Format::kQdq}, {"qoperator", Format::kQOperator}};
  if (format == Format::kAsItIs) {
    formats.insert(formats.begin(), {"as-it-is", Format::kAsItIs});
  }
  add_choice(command, "--format", format, formats,
             "Quantized parts as float operators between QuantizeLinear and DequantizeLinear (qdq), or as "
             "QLinearConv "
             "and its kin (qoperator)");
  command
      .add_option("--opset", opset,
                  "ONNX opset to write, 7 to 27 (default: the lowest from 13 on that has the graph, newer "
                  "operators than 21 spelled out)")
      ->check(CLI::Range(7, 27));
  command.add_flag("--external-data", external_data,
                   "Weights in a file beside the model (always done above 2 GiB)");
}

Status WriteOptions::write(const toolchain::Graph& graph, const std::string& path) const {
  Result<toolchain::Graph> converted = in_format(graph, format);
  ZP_RETURN_IF_ERROR(converted.status().at(path));
  toolchain::OnnxOptions how;
  how.opset = opset == 0 ? std::nullopt : std::optional(opset);
  how.external_data = external_data;
  return toolchain::write_onnx(*converted, path, how);
}

}  // namespace zeropoint::cli
