#include "zeropoint/toolchain/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "quantize/improvement.h"
#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::toolchain {
namespace {

using Kind = Granularity::Kind;

struct Base {
  std::string_view name;
  std::string_view what;
  ActivationMode mode;
  QuantizedType activations;
  int weight_bits;
  std::int64_t group_size;
};

constexpr QuantizedType kUint8{8, false};
constexpr Base kBases[] = {
    {"static_w8a8", "8-bit weights and activations, all in integers: the default", ActivationMode::kStatic,
     kUint8, 8, 0},
    {"static_w4a8", "4-bit weights, 8-bit activations: half the size", ActivationMode::kStatic, kUint8, 4, 0},
    {"static_w4a4", "4-bit weights and activations", ActivationMode::kStatic, {4, false}, 4, 0},
    {"static_w8a16",
     "8-bit weights, 16-bit activations: next to nothing is lost",
     ActivationMode::kStatic,
     {16, true},
     8,
     0},
    {"static_w16a16", "16-bit weights and activations", ActivationMode::kStatic, {16, true}, 16, 0},
    {"dynamic_w8a8",
     "matrix products of 8 bits whose ranges each run finds, the rest in float: for transformers",
     ActivationMode::kDynamic, kUint8, 8, 0},
    {"weight_only_w8", "8-bit weights, activations in float", ActivationMode::kFloat, kUint8, 8, 0},
    {"weight_only_w4", "4-bit weights in groups of 32, activations in float: for language models",
     ActivationMode::kFloat, kUint8, 4, 32},
    {"weight_only_w4_g128", "the same in groups of 128: smaller still", ActivationMode::kFloat, kUint8, 4,
     128},
};

bool are_activation_bits(int bits) { return (bits >= 2 && bits <= 8) || bits == 16; }

/// What one set of wishes, of a recipe or of an override completed by it, has against it.
Status check_wish(const NodeRecipe& wish) {
  ZP_RETURN_IF_ERROR(wish.weights.range().status().at("weights"));
  if (!wish.weights.is_signed || wish.weights.bits > 16) {
    return Status::invalid_argument("weights must be signed and of 2 to 8 or 16 bits, not " +
                                    wish.weights.name());
  }
  ZP_RETURN_IF_ERROR(wish.activations.range().status().at("activations"));
  if (!are_activation_bits(wish.activations.bits) || wish.activations.narrow) {
    return Status::invalid_argument("activations must be of 2 to 8 or 16 bits and not narrow, not " +
                                    wish.activations.name());
  }
  bool groups = wish.granularity == Kind::kPerGroup;
  if (groups != (wish.group_size > 0)) {
    return Status::invalid_argument(groups ? "scales per group need a group_size of 1 or more"
                                           : "group_size is for weights of granularity per_group");
  }
  if (groups && wish.mode != ActivationMode::kFloat) {
    return Status::invalid_argument(
        "scales per group are for weights alone (activations \"none\"): a layer in integers has one sum, and "
        "so "
        "one scale, per output channel");
  }
  if (wish.mode == ActivationMode::kDynamic && wish.weights.bits > 8) {
    return Status::invalid_argument("dynamic activations need weights of at most 8 bits, not " +
                                    wish.weights.name());
  }
  return {};
}

std::string label_of(const RecipeOverride& override) {
  std::string text = override.nodes.empty() ? "every node" : fmt::format("nodes '{}'", override.nodes);
  return "override for " + text + (override.op ? fmt::format(" of {}", name_of(*override.op)) : "");
}

NodeRecipe whole(const Recipe& recipe) {
  Kind kind =
      recipe.group_size > 0 ? Kind::kPerGroup : (recipe.per_channel ? Kind::kPerChannel : Kind::kPerTensor);
  return {false, recipe.mode,      recipe.activations, recipe.weights, kind, recipe.group_size,
          false, recipe.calibrator};
}

void apply(const RecipeOverride& override, NodeRecipe& wish) {
  wish.in_float = override.in_float;
  wish.weights_by_override = wish.weights_by_override || override.weight_bits || override.granularity;
  wish.weights.bits = override.weight_bits.value_or(wish.weights.bits);
  wish.mode = override.mode.value_or(wish.mode);
  wish.activations = override.activations.value_or(wish.activations);
  wish.calibrator = override.calibrator.value_or(wish.calibrator);
  if (override.granularity) {
    wish.granularity = *override.granularity;
    wish.group_size = wish.granularity == Kind::kPerGroup ? wish.group_size : 0;
  }
  wish.group_size = override.group_size.value_or(wish.group_size);
}

}  // namespace

const std::vector<BaseRecipe>& base_recipes() {
  static const std::vector<BaseRecipe> recipes = [] {
    std::vector<BaseRecipe> all;
    for (const Base& base : kBases) {
      all.push_back({base.name, base.what});
    }
    return all;
  }();
  return recipes;
}

Result<Recipe> base_recipe(std::string_view name) {
  std::vector<std::string> names;
  for (const Base& base : kBases) {
    if (base.name == name) {
      Recipe recipe;
      recipe.base = base.name;
      recipe.mode = base.mode;
      recipe.activations = base.activations;
      recipe.weights.bits = base.weight_bits;
      recipe.group_size = base.group_size;
      return recipe;
    }
    names.emplace_back(base.name);
  }
  std::string guess = nearest(name, names);
  return Status::invalid_argument(fmt::format("there is no recipe '{}'; {}", name,
                                              guess.empty()
                                                  ? fmt::format("there are: {}", fmt::join(names, ", "))
                                                  : fmt::format("did you mean {}?", guess)));
}

Status check_recipe(const Recipe& recipe) {
  ZP_RETURN_IF_ERROR(check_wish(whole(recipe)));
  ZP_RETURN_IF_ERROR(improvements_of(recipe.improvements).status());
  if (recipe.border_bits != 0 && !are_activation_bits(recipe.border_bits)) {
    return Status::invalid_argument(
        fmt::format("border bits must be 2 to 8 or 16, not {}", recipe.border_bits));
  }
  for (const RecipeOverride& override : recipe.overrides) {
    NodeRecipe wish = whole(recipe);
    apply(override, wish);
    ZP_RETURN_IF_ERROR(check_wish(wish).at(label_of(override)));
  }
  return {};
}

Status check_overrides(const Recipe& recipe, const Graph& graph) {
  for (const RecipeOverride& override : recipe.overrides) {
    bool of_op = false;
    bool found = false;
    std::vector<std::string> names;
    for (const Node& node : graph.nodes) {
      names.push_back(node.name);
      bool named = override.nodes.empty() || matches(override.nodes, node.name);
      of_op = of_op || node.op == override.op;
      found = found || (named && (!override.op || node.op == *override.op));
    }
    if (found) {
      continue;
    }
    if (override.op && !of_op) {
      return Status::not_found(
          fmt::format("{}: the network has no {}", label_of(override), name_of(*override.op)));
    }
    std::string guess = nearest(override.nodes, names);
    return Status::not_found(fmt::format("{}: the network has none{}", label_of(override),
                                         guess.empty() ? "" : fmt::format("; did you mean '{}'?", guess)));
  }
  return {};
}

NodeRecipe node_recipe(const Recipe& recipe, const Node& node) {
  NodeRecipe wish = whole(recipe);
  for (const RecipeOverride& override : recipe.overrides) {
    bool named = override.nodes.empty() || matches(override.nodes, node.name);
    if (named && (!override.op || node.op == *override.op)) {
      apply(override, wish);
    }
  }
  return wish;
}

bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last, and where what it stands for ends
  std::size_t after = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++after;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace zeropoint::toolchain
