#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "inputs.h"
#include "verbs.h"
#include "write_options.h"

namespace zeropoint::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string output;
  WriteOptions write;
};

Status run(const Options& options) {
  ZP_ASSIGN_OR_RETURN(toolchain::Graph graph, read_model(options.model));
  ZP_RETURN_IF_ERROR(options.write.write(graph, options.output));
  fmt::print("wrote {}\n", options.output);
  return {};
}

}  // namespace

Action add_convert(CLI::App& command) {
  auto options = std::make_shared<Options>();
  add_model_options(command, options->model);
  command.add_option("output,-o,--output", options->output, "The ONNX model to write")->required();
  options->write.add(command);
  command.footer(
      "Examples:\n"
      "  zeropoint convert lenet.pt lenet.onnx\n"
      "  zeropoint convert model.onnx older.onnx --opset 11\n"
      "  zeropoint convert resnet20.int8.onnx resnet20.qop.onnx --format qoperator\n"
      "  zeropoint convert resnet20.qop.onnx resnet20.qdq.onnx --format qdq\n"
      "  zeropoint convert large.onnx out/large.onnx --external-data");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
