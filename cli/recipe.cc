#include "zeropoint/toolchain/recipe.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "recipe_options.h"
#include "verbs.h"

namespace zeropoint::cli {
namespace {

struct Options {
  std::string recipe_or_file;
  bool json = false;
};

Status run(const Options& options) {
  if (!options.recipe_or_file.empty()) {
    ZP_ASSIGN_OR_RETURN(toolchain::Recipe recipe, load_recipe(options.recipe_or_file));
    fmt::print("{}\n", toolchain::to_json(recipe));
    return {};
  }
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const toolchain::BaseRecipe& recipe : toolchain::base_recipes()) {
    json[std::string(recipe.name)] = recipe.what;
    if (!options.json) {
      fmt::print("{:<20} {}\n", recipe.name, recipe.what);
    }
  }
  if (options.json) {
    fmt::print("{}\n", json.dump(1));
  }
  return {};
}

}  // namespace

Action add_recipe(CLI::App& command) {
  auto options = std::make_shared<Options>();
  command.add_option("recipe", options->recipe_or_file,
                     "A recipe's name or a JSON file, to print it complete");
  command.add_flag("--json", options->json, "The list as JSON");
  command.footer(
      "Examples:\n"
      "  zeropoint recipe\n"
      "  zeropoint recipe weight_only_w4 > mine.json; $EDITOR mine.json\n"
      "  zeropoint quantize model.onnx --recipe mine.json --data x.npy -o model.w4.onnx");
  return [options] { return run(*options); };
}

}  // namespace zeropoint::cli
