#include "recipe_options.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "zeropoint/toolchain/file.h"

namespace zeropoint::cli {
namespace {

using toolchain::Recipe;

const CLI::Validator& quantized_bits() {
  static const CLI::Validator validator(
      [](std::string& text) {
        int bits = 0;
        bool number = CLI::detail::lexical_cast(text, bits);
        return number && ((bits >= 2 && bits <= 8) || bits == 16) ? std::string()
                                                                  : "must be 2 to 8 or 16, not " + text;
      },
      "BITS");
  return validator;
}

}  // namespace

void RecipeOptions::add(CLI::App& command) {
  command.add_option(
      "--recipe", recipe_or_file,
      "What is wished for: a recipe's name (`zeropoint recipe` lists them) or a JSON file; the "
      "options below override it");
  command.add_option("--weight-bits", weight_bits, "Bits of the weights, 2 to 8 or 16")
      ->check(quantized_bits());
  command.add_option("--activation-bits", activation_bits, "Bits of the activations, 2 to 8 or 16")
      ->check(quantized_bits());
  command
      .add_option("--group-size", group_size,
                  "Weights that share a scale, where weights alone are quantized (0: a whole channel)")
      ->check(CLI::NonNegativeNumber);
  command
      .add_option("--border-bits", border_bits,
                  "Bits of the network's input and output (0: --activation-bits)")
      ->check(CLI::Range(0, 16));
  command.add_flag("--per-tensor", per_tensor, "One weight scale per tensor (default: per output channel)");
  command.add_flag("--signed-activations", signed_activations, "int8 activations (default: uint8)");
  command.add_flag(
      "--plain-range", plain_range,
      "Take activation ranges as seen, without widening them to contain 0 (for comparison; can lose much)");
  command.add_flag("--quantized-output", quantized_output,
                   "Quantize the output too (default: the last layer's int32 accumulators are dequantized)");
  command.add_option("--float", floats, "Nodes that stay in float: a name, or a pattern with * and ?")
      ->type_name("NODE");
  command
      .add_option(
          "--improve", improvements,
          "Improvements to make beside those of the recipe (docs/improvements.md); none: not even those")
      ->delimiter(',')
      ->type_name("NAME");
}

Result<Recipe> load_recipe(const std::string& recipe_or_file) {
  if (!std::filesystem::exists(recipe_or_file)) {
    bool is_path = recipe_or_file.find_first_of("./") != std::string::npos;
    return is_path ? Status::io(recipe_or_file + ": no such file") : toolchain::base_recipe(recipe_or_file);
  }
  ZP_ASSIGN_OR_RETURN(std::vector<std::byte> text, toolchain::read_file(recipe_or_file));
  Result<Recipe> recipe =
      toolchain::recipe_from_json({reinterpret_cast<const char*>(text.data()), text.size()});
  return recipe.ok() ? recipe : recipe.status().at(recipe_or_file);
}

Result<Recipe> RecipeOptions::recipe() const {
  ZP_ASSIGN_OR_RETURN(Recipe recipe, load_recipe(recipe_or_file.empty() ? "static_w8a8" : recipe_or_file));
  recipe.weights.bits = weight_bits.value_or(recipe.weights.bits);
  recipe.activations.bits = activation_bits.value_or(recipe.activations.bits);
  recipe.activations.is_signed = recipe.activations.is_signed || signed_activations;
  recipe.border_bits = border_bits.value_or(recipe.border_bits);
  recipe.group_size = group_size.value_or(recipe.group_size);
  recipe.per_channel = recipe.per_channel && !per_tensor;
  recipe.group_size = per_tensor ? 0 : recipe.group_size;
  if (plain_range) {
    recipe.activation_rule = RangeRule::kPlainMinMax;
  }
  if (quantized_output) {
    recipe.output = Recipe::Output::kQuantized;
  }
  for (const std::string& name : improvements) {
    if (name == "none") {
      recipe.improvements.clear();
      recipe.correct_biases = false;
    } else {
      recipe.improvements.push_back(name);
    }
  }
  for (const std::string& node : floats) {
    recipe.overrides.push_back({.nodes = node, .in_float = true});
  }
  ZP_RETURN_IF_ERROR(toolchain::check_recipe(recipe));
  return recipe;
}

}  // namespace zeropoint::cli
