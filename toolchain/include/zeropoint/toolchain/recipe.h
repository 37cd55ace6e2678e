#pragma once

// What is wished for when a network is quantized: how many bits for what, for the whole network and for
// single nodes. A small JSON file; its format is described in docs/recipe.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/affine_tensor.h"
#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// How what flows through the network is represented.
enum class ActivationMode : std::uint8_t {
  kStatic,   ///< integers whose scales calibration gives
  kDynamic,  ///< what a matrix product reads, in 8 bits by the range that each run shows; the rest as floats
  kFloat,    ///< floats: weights alone are quantized
};

/// A different wish for some nodes. What is not set is as the recipe, or an override before this one, says.
struct RecipeOverride {
  std::string nodes =
      {};  ///< a node's name, or a pattern: * stands for any letters, ? for one; empty: every node
  std::optional<Op> op = {};  ///< nodes of this operator alone
  bool in_float = false;      ///< the node is not quantized at all
  std::optional<int> weight_bits = {};
  std::optional<Granularity::Kind> granularity = {};  ///< of weights
  std::optional<std::int64_t> group_size = {};
  std::optional<ActivationMode> mode = {};
  std::optional<QuantizedType> activations = {};
  std::optional<std::string> calibrator = {};
};

/// What is wished for.
struct Recipe {
  std::string base = "static_w8a8";
  ActivationMode mode = ActivationMode::kStatic;
  QuantizedType activations{8, false};
  QuantizedType weights{8, true};
  bool per_channel = true;      ///< weights: one scale per output channel, else one per tensor
  std::int64_t group_size = 0;  ///< above 0: one scale per so many neighbours of a channel; not with kStatic
  RangeRule activation_rule = RangeRule::kContainZero;
  /// How ranges of activations are read off calibration, as CalibrationMethod::parse() says; empty: as
  /// whoever calibrates says.
  std::string calibrator = {};
  /// Activations of 8 bits that those would damage get 16: arguments of Softmax whose steps are too wide,
  /// tensors whose range is far beyond their bulk, and what these are made of.
  bool protect = true;
  /// With static activations: biases take back the mean error of the weights (bias correction) also where
  /// `improvements` does not name it.
  bool correct_biases = true;
  /// Bits of the network's input and output, where narrow activations would lose most for least. 0: as the
  /// others.
  int border_bits = 0;
  /// What the network's last layer gives.
  enum class Output : std::uint8_t {
    /// Its int32 accumulator, dequantized by S_in * S_w: nothing is rounded after the last sum, so no two
    /// scores become equal that were not.
    kAccumulator,
    kQuantized,  ///< integers of border_bits, dequantized by one scale
  } output = Output::kAccumulator;
  std::vector<std::string> improvements = {};  ///< by name, in whatever order; see quantize_network.h
  std::vector<RecipeOverride> overrides = {};  ///< the last that concerns a node decides
};

/// A recipe that can be named, and what it is for.
struct BaseRecipe {
  std::string_view name;
  std::string_view what;
};
const std::vector<BaseRecipe>& base_recipes();
/// kInvalidArgument for a name that there is not, with the nearest.
Result<Recipe> base_recipe(std::string_view name);

/// The recipe as JSON, complete; and back, where what is not said is as the base recipe has it. kCorrupt for
/// what is no JSON, unknown fields and words (with the nearest), wishes of the wrong kind; and the errors of
/// check_recipe().
std::string to_json(const Recipe& recipe);
Result<Recipe> recipe_from_json(std::string_view text);

/// Whether the wish can be fulfilled at all: bits that exist, scales per group for weights alone.
/// kInvalidArgument says what contradicts what.
Status check_recipe(const Recipe& recipe);
/// Whether each override concerns a node of `graph`: kNotFound with the nearest name where one does not.
Status check_overrides(const Recipe& recipe, const Graph& graph);

/// The wish for one node.
struct NodeRecipe {
  bool in_float = false;
  ActivationMode mode = ActivationMode::kStatic;
  QuantizedType activations;
  QuantizedType weights;
  Granularity::Kind granularity = Granularity::Kind::kPerChannel;
  std::int64_t group_size = 0;
  bool weights_by_override = false;  ///< the weights' bits or granularity are not those of the whole recipe
  std::string calibrator = {};
};
NodeRecipe node_recipe(const Recipe& recipe, const Node& node);

/// Whether `text` is what `pattern` describes, in which * stands for any letters and ? for one.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace zeropoint::toolchain
