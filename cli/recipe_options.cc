#include "recipe_options.h"

#include <CLI/CLI.hpp>

namespace zeropoint::cli {

void RecipeOptions::add(CLI::App& command) {
  command.add_option("--weight-bits", weight_bits, "Bits of the weights, 2 to 8")
      ->check(CLI::Range(2, 8))
      ->capture_default_str();
  command.add_option("--activation-bits", activation_bits, "Bits of the activations, 2 to 8")
      ->check(CLI::Range(2, 8))
      ->capture_default_str();
  command
      .add_option("--border-bits", border_bits,
                  "Bits of the network's input and output (0: --activation-bits)")
      ->check(CLI::Range(0, 8));
  command.add_flag("--per-tensor", per_tensor, "One weight scale per tensor (default: per output channel)");
  command.add_flag("--signed-activations", signed_activations, "int8 activations (default: uint8)");
  command.add_flag(
      "--plain-range", plain_range,
      "Take activation ranges as seen, without widening them to contain 0 (for comparison; can lose much)");
  command.add_flag("--quantized-output", quantized_output,
                   "Quantize the output too (default: the last layer's int32 accumulators are dequantized)");
}

toolchain::Recipe RecipeOptions::recipe() const {
  toolchain::Recipe recipe;
  recipe.weights.bits = weight_bits;
  recipe.activations = {activation_bits, signed_activations};
  recipe.border_bits = border_bits;
  recipe.per_channel = !per_tensor;
  recipe.activation_rule = plain_range ? RangeRule::kPlainMinMax : RangeRule::kContainZero;
  recipe.output =
      quantized_output ? toolchain::Recipe::Output::kQuantized : toolchain::Recipe::Output::kAccumulator;
  return recipe;
}

}  // namespace zeropoint::cli
