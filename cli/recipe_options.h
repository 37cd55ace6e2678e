#pragma once

#include <CLI/App.hpp>

#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::cli {

/// The command line's way to write a Recipe.
struct RecipeOptions {
  int weight_bits = 8;
  int activation_bits = 8;
  int border_bits = 0;
  bool per_tensor = false;
  bool signed_activations = false;
  bool plain_range = false;
  bool quantized_output = false;

  void add(CLI::App& command);
  [[nodiscard]] toolchain::Recipe recipe() const;
};

}  // namespace zeropoint::cli
