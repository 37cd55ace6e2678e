#include "program_text.h"

#include <fmt/format.h>

#include <bit>
#include <nlohmann/json.hpp>

#include "zeropoint/toolchain/program_summary.h"

namespace zeropoint::cli {
namespace {

using toolchain::AccumulatorBound;
using toolchain::OperationSummary;

std::int64_t farthest(const AccumulatorBound& bound) {
  return std::max(-bound.range.q_min, bound.range.q_max);
}

/// The bits of a signed integer that holds all sums.
int bits_of(const AccumulatorBound& bound) {
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(farthest(bound)))) + 1;
}

std::string accumulator_text(const AccumulatorBound& bound) {
  std::string text = fmt::format("{} bits of {} (channel {}: {})", bits_of(bound), name_of(bound.type),
                                 bound.channel, farthest(bound));
  if (bound.channels_beyond > 0) {
    text += fmt::format(", {} channels beyond int32", bound.channels_beyond);
  }
  return text;
}

}  // namespace

void print_operations(const Program& program) {
  fmt::print("{:<32} {:<24} {:<24} {:>16}  {}\n", "makes", "operation", "of type", "weights",
             "largest possible sum");
  for (const OperationSummary& summary : toolchain::summarize(program)) {
    std::string weights =
        summary.weights == 0 ? "" : fmt::format("{} x {} bit", summary.weights, summary.weight_bits);
    std::string last =
        summary.accumulator ? accumulator_text(*summary.accumulator) : (summary.in_float ? "in float" : "");
    std::string line = fmt::format("{:<32} {:<24} {:<24} {:>16}  {}", summary.output, summary.operation,
                                   summary.result, weights, last);
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
}

void print_accumulators(const Program& program) {
  std::vector<OperationSummary> operations = toolchain::summarize(program);
  const OperationSummary* widest = nullptr;
  std::size_t layers = 0;
  for (const OperationSummary& one : operations) {
    if (one.accumulator) {
      ++layers;
      bool wider = widest == nullptr || farthest(*one.accumulator) > farthest(*widest->accumulator);
      widest = wider ? &one : widest;
    }
  }
  if (widest == nullptr) {
    return;
  }
  fmt::print("sums     of {} layers are proven to fit; the farthest, '{}': {}\n", layers, widest->output,
             accumulator_text(*widest->accumulator));
  for (const OperationSummary& one : operations) {
    if (one.accumulator && one.accumulator->type == ElementType::kInt64) {
      fmt::print("widened  '{}': {}\n", one.output, accumulator_text(*one.accumulator));
    }
  }
}

nlohmann::ordered_json operations_json(const Program& program) {
  auto list = nlohmann::ordered_json::array();
  for (const OperationSummary& summary : toolchain::summarize(program)) {
    nlohmann::ordered_json json{{"output", summary.output},   {"operation", summary.operation},
                                {"result", summary.result},   {"in_float", summary.in_float},
                                {"weights", summary.weights}, {"weight_bits", summary.weight_bits}};
    if (summary.accumulator) {
      const AccumulatorBound& bound = *summary.accumulator;
      json["accumulator"] = {{"type", name_of(bound.type)},
                             {"least", bound.range.q_min},
                             {"most", bound.range.q_max},
                             {"channel", bound.channel},
                             {"channels_beyond_int32", bound.channels_beyond}};
    }
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace zeropoint::cli
