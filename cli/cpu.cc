#include "zeropoint/cpu.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "verbs.h"

namespace zeropoint::cli {
namespace {

struct Options {
  bool json = false;
};

std::string kibibytes(std::int64_t bytes) {
  return bytes == 0 ? "unknown" : fmt::format("{} KiB", bytes / 1024);
}

/// Of a set that this machine runs, in 10^9 multiply-adds per second.
std::optional<Peak> peak_of(Isa isa) {
  Result<Peak> peak = measure_peak(isa);
  return peak.ok() ? std::optional(Peak{peak->int8 * 1e-9, peak->float32 * 1e-9}) : std::nullopt;
}

void print_json(const CpuInfo& info, const Result<Isa>& chosen) {
  nlohmann::ordered_json json{{"model", info.model},
                              {"cores", info.cores},
                              {"level1_bytes", info.level1_bytes},
                              {"level2_bytes", info.level2_bytes},
                              {"level3_bytes", info.level3_bytes}};
  for (Isa isa : all_isas()) {
    nlohmann::ordered_json set{{"name", name_of(isa)},
                               {"compiled", is_compiled(isa)},
                               {"supported", is_supported(isa)},
                               {"chosen", chosen.ok() && *chosen == isa}};
    if (std::optional<Peak> peak = peak_of(isa)) {
      set["peak"] = {{"int8", peak->int8}, {"float32", peak->float32}};
    }
    json["instruction_sets"].push_back(std::move(set));
  }
  fmt::print("{}\n", json.dump(1));
}

void print_text(const CpuInfo& info, const Result<Isa>& chosen) {
  fmt::print("cpu      {}, {} cores\n", info.model.empty() ? "unknown" : info.model, info.cores);
  fmt::print("caches   level 1 {}, level 2 {}, level 3 {}\n\n", kibibytes(info.level1_bytes),
             kibibytes(info.level2_bytes), kibibytes(info.level3_bytes));
  fmt::print("{:<12} {:<9} {:<10} {:<7} {:>12} {:>12}\n", "set", "compiled", "supported", "chosen",
             "int8 peak *", "float peak *");
  for (Isa isa : all_isas()) {
    std::string line =
        fmt::format("{:<12} {:<9} {:<10} {:<7}", name_of(isa), is_compiled(isa) ? "yes" : "no",
                    is_supported(isa) ? "yes" : "no", chosen.ok() && *chosen == isa ? "yes" : "");
    if (std::optional<Peak> peak = peak_of(isa)) {
      line += fmt::format(" {:>12.0f} {:>12.0f}", peak->int8, peak->float32);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
  fmt::print("* 10^9 multiply-adds per second of one core, measured just now\n");
}

/// What can be had is shown even where $ZEROPOINT_ISA asks for what cannot.
Status run(const Options& options) {
  Result<Isa> chosen = choose_isa();
  (options.json ? print_json : print_text)(cpu_info(), chosen);
  return chosen.status();
}

}  // namespace

Action add_cpu(CLI::App& command) {
  auto options = std::make_shared<Options>();
  command.add_flag("--json", options->json, "Print JSON");
  command.footer(
      "ZEROPOINT_ISA forces a set, and fails where it cannot be had; each gives the same results.\n"
      "Examples:\n"
      "  zeropoint cpu\n"
      "  ZEROPOINT_ISA=avx2 zeropoint bench resnet.zpm");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
