#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "inputs.h"
#include "model_runner.h"
#include "network.h"
#include "plan_metadata.h"
#include "program_text.h"
#include "verbs.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/picture.h"
#include "zeropoint/toolchain/quantize.h"
#include "zeropoint/toolchain/simplify.h"

namespace zeropoint::cli {
namespace {

using toolchain::Graph;
using toolchain::Lowering;
using toolchain::QuantPlan;
using toolchain::Value;

struct Options {
  ModelOptions model;
  bool graph = false;
  bool plan = false;
  bool parameters = false;
  bool integers = false;
  bool json = false;
  bool simplify = false;
  std::string dot;
  std::string svg;
};

/// Smallest, largest and mean of a constant's elements.
struct Summary {
  double least = 0;
  double most = 0;
  double mean = 0;
};

template <typename T>
Summary summary_of(std::span<const T> values) {
  if (values.empty()) {
    return {};
  }
  auto [least, most] = std::minmax_element(values.begin(), values.end());
  double sum = 0;
  for (T value : values) {
    sum += static_cast<double>(value);
  }
  return {static_cast<double>(*least), static_cast<double>(*most), sum / static_cast<double>(values.size())};
}

Summary summary_of(const Tensor& tensor) {
  Summary summary;
  if (tensor.type() == ElementType::kFloat32) {
    return summary_of(tensor.data<float>());
  }
  visit_integer(tensor.type(), [&](auto element) { summary = summary_of(tensor.data<decltype(element)>()); });
  return summary;
}

void print_parameters(const Graph& graph) {
  fmt::print("{:<28} {:<9} {:<18} {:>10} {:>12} {:>12} {:>12}\n", "parameter", "type", "shape", "elements",
             "least", "most", "mean");
  for (const Value& value : graph.values) {
    if (value.constant != nullptr) {
      Summary s = summary_of(*value.constant);
      fmt::print("{:<28} {:<9} {:<18} {:>10} {:>12.6g} {:>12.6g} {:>12.6g}\n", value.name,
                 zeropoint::name_of(value.type), zeropoint::to_string(value.constant->shape()),
                 value.constant->size(), s.least, s.most, s.mean);
    }
  }
}

nlohmann::ordered_json as_json(const Graph& graph) {
  nlohmann::ordered_json json{{"name", graph.name}, {"nodes", nlohmann::ordered_json::array()}};
  auto names = [&](const std::vector<toolchain::ValueId>& ids) {
    auto list = nlohmann::ordered_json::array();
    for (toolchain::ValueId id : ids) {
      list.push_back(id == toolchain::kNoValue ? "" : graph.value(id).name);
    }
    return list;
  };
  json["inputs"] = names(graph.inputs);
  json["outputs"] = names(graph.outputs);
  for (const toolchain::Node& node : graph.nodes) {
    json["nodes"].push_back({{"operator", name_of(node.op)},
                             {"name", node.name},
                             {"inputs", names(node.inputs)},
                             {"outputs", names(node.outputs)},
                             {"shape", toolchain::to_string(*graph.value(node.outputs[0]).dims)}});
  }
  for (const Value& value : graph.values) {
    if (value.constant != nullptr) {
      Summary s = summary_of(*value.constant);
      json["parameters"].push_back({{"name", value.name},
                                    {"type", zeropoint::name_of(value.type)},
                                    {"shape", value.constant->shape()},
                                    {"least", s.least},
                                    {"most", s.most},
                                    {"mean", s.mean}});
    }
  }
  return json;
}

/// Which nodes of a quantized model run in integers, which do not and why.
void print_lowering(const Lowering& lowering) {
  std::size_t all = lowering.integer_nodes + lowering.floats.size();
  fmt::print("{} of {} nodes run in integers\n", lowering.integer_nodes, all);
  for (const toolchain::FloatNode& node : lowering.floats) {
    fmt::print("  float32: {} '{}': {}\n", node.op, node.node, node.reason);
  }
}

nlohmann::ordered_json as_json(const Lowering& lowering) {
  nlohmann::ordered_json json{{"integer_nodes", lowering.integer_nodes},
                              {"float_nodes", nlohmann::ordered_json::array()}};
  for (const toolchain::FloatNode& node : lowering.floats) {
    json["float_nodes"].push_back({{"operator", node.op}, {"name", node.node}, {"reason", node.reason}});
  }
  return json;
}

Status draw(const Graph& graph, const Options& options) {
  if (!options.dot.empty()) {
    ZP_RETURN_IF_ERROR(toolchain::write_file(options.dot, toolchain::to_dot(graph)));
    fmt::print("wrote {}\n", options.dot);
  }
  if (!options.svg.empty()) {
    ZP_ASSIGN_OR_RETURN(std::string svg, toolchain::to_svg(graph));
    ZP_RETURN_IF_ERROR(toolchain::write_file(options.svg, svg));
    fmt::print("wrote {}\n", options.svg);
  }
  return {};
}

void print_interface(const char* what, const Graph& graph, const std::vector<toolchain::ValueId>& ids) {
  for (toolchain::ValueId id : ids) {
    const Value& value = graph.value(id);
    fmt::print("{:<8} {} {} {}\n", what, value.name, zeropoint::name_of(value.type),
               value.dims ? toolchain::to_string(*value.dims) : "of any shape");
  }
}

/// A compiled program has operations alone.
Status inspect_program(const Network& network, const Options& options) {
  if (options.graph || options.plan || options.parameters || options.simplify || !options.dot.empty() ||
      !options.svg.empty()) {
    return Status::invalid_argument(options.model.path +
                                    ": a compiled program has no graph, plan or parameters; give the model");
  }
  if (options.json) {
    nlohmann::ordered_json json = as_json(network.graph);
    json["operations"] = operations_json(*network.program);
    fmt::print("{}\n", json.dump(1));
    return {};
  }
  fmt::print("program  {} ({})\n", network.program->name, engine_name(*network.program));
  print_interface("input", network.graph, network.graph.inputs);
  print_interface("output", network.graph, network.graph.outputs);
  print_accumulators(*network.program);
  fmt::print("\n");
  print_operations(*network.program);
  return {};
}

Status run(const Options& options) {
  ZP_ASSIGN_OR_RETURN(Network network, load_network(options.model));
  if (network.program != nullptr) {
    return inspect_program(network, options);
  }
  Graph& graph = network.graph;
  ZP_RETURN_IF_ERROR(toolchain::infer_shapes(graph).at(options.model.path));
  if (options.simplify) {
    ZP_RETURN_IF_ERROR(toolchain::simplify(graph).status().at(options.model.path));
  }
  if (!options.dot.empty() || !options.svg.empty()) {
    return draw(graph, options);
  }
  Result<QuantPlan> plan = plan_of(graph);
  if (options.json) {
    nlohmann::ordered_json json = as_json(graph);
    if (plan.ok()) {
      json["plan"] = nlohmann::ordered_json::parse(toolchain::to_json(*plan));
    }
    if (is_quantized(graph)) {
      ZP_ASSIGN_OR_RETURN(Lowering lowering, toolchain::lower(graph, RequantizeMode::kFloat));
      json["integers"] = as_json(lowering);
    }
    fmt::print("{}\n", json.dump(1));
    return {};
  }
  bool all = !options.graph && !options.plan && !options.parameters && !options.integers;
  if (all || options.graph) {
    fmt::print("{}\n", toolchain::print(graph));
  }
  if (options.plan && !plan.ok()) {
    return plan.status().at(options.model.path);
  }
  if ((all || options.plan) && plan.ok()) {
    fmt::print("{}\n", toolchain::print(*plan));
  }
  if (all || options.parameters) {
    print_parameters(graph);
  }
  if (is_quantized(graph) && (all || options.integers)) {
    ZP_ASSIGN_OR_RETURN(Lowering lowering, toolchain::lower(graph, RequantizeMode::kFloat));
    print_lowering(lowering);
  }
  return {};
}

}  // namespace

Action add_inspect(CLI::App& command) {
  auto options = std::make_shared<Options>();
  add_model_options(command, options->model, true);
  command.add_flag("--graph", options->graph, "Only the nodes, with shapes and attributes");
  command.add_flag("--plan", options->plan, "Only the quantization plan: each decision and why");
  command.add_flag("--parameters", options->parameters, "Only the weights and other constants");
  command.add_flag("--integers", options->integers,
                   "Only which nodes of a quantized model run in integers, and why others do not");
  command.add_flag("--json", options->json, "Print JSON");
  command.add_flag("--simplify", options->simplify,
                   "The model as it is before quantization: constants and BatchNormalization folded, ...");
  command.add_option("--dot", options->dot, "Write the graph to this file, in the DOT language of Graphviz");
  command.add_option("--svg", options->svg, "Write a picture of the graph to this file");
  command.footer(
      "Examples:\n"
      "  zeropoint inspect lenet.pt\n"
      "  zeropoint inspect lenet.int8.onnx --plan\n"
      "  zeropoint inspect lenet.zpm\n"
      "  zeropoint inspect resnet.onnx --simplify --svg resnet.svg");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
