#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/toolchain/recipe.h"

namespace zeropoint::cli {

/// The command line's way to write a Recipe: one by name or from a file, and what differs from it.
struct RecipeOptions {
  std::string recipe_or_file;
  std::optional<int> weight_bits;
  std::optional<int> activation_bits;
  std::optional<int> border_bits;
  std::optional<std::int64_t> group_size;
  std::vector<std::string> improvements;
  std::vector<std::string> floats;  ///< nodes, or patterns of their names
  bool per_tensor = false;
  bool signed_activations = false;
  bool plain_range = false;
  bool quantized_output = false;

  void add(CLI::App& command);
  [[nodiscard]] Result<toolchain::Recipe> recipe() const;
};

/// A recipe by its name, or read from a file.
Result<toolchain::Recipe> load_recipe(const std::string& recipe_or_file);

}  // namespace zeropoint::cli
