// The recipe as JSON.

#include <fmt/format.h>

#include "io/json_fields.h"
#include "zeropoint/toolchain/ranges.h"
#include "zeropoint/toolchain/recipe.h"
#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::toolchain {
namespace {

using namespace json_fields;
using Kind = Granularity::Kind;

constexpr std::string_view kGranularities[] = {"per_tensor", "per_channel", "per_group"};
constexpr std::string_view kOutputs[] = {"accumulator", "quantized"};
constexpr std::string_view kActivations[] = {"uint8", "int8",  "uint16", "int16", "dynamic", "none",
                                             "uint7", "uint6", "uint5",  "uint4", "uint3",   "uint2",
                                             "int7",  "int6",  "int5",   "int4",  "int3",    "int2"};

struct ActivationWish {
  ActivationMode mode;
  QuantizedType type;
};

std::string activation_word(ActivationMode mode, QuantizedType type) {
  return mode == ActivationMode::kStatic ? type.name()
                                         : (mode == ActivationMode::kDynamic ? "dynamic" : "none");
}

ActivationWish activation_wish(const Json& json) {
  std::string_view text = kActivations[word_in(json, "type", kActivations)];
  if (text == "dynamic" || text == "none") {
    return {text == "none" ? ActivationMode::kFloat : ActivationMode::kDynamic, {8, false}};
  }
  bool is_signed = text[0] != 'u';
  return {ActivationMode::kStatic, {std::stoi(std::string(text.substr(is_signed ? 3 : 4))), is_signed}};
}

const Json& object_in(const Json& json, const char* name) {
  const Json& value = member(json, name);
  if (!value.is_object()) {
    throw BadField{fmt::format("'{}' must be an object", name)};
  }
  return value;
}

/// Bits, granularity and group size: what JSON says of weights.
struct WeightWish {
  std::optional<int> bits;
  std::optional<Kind> granularity;
  std::optional<std::int64_t> group_size;
};

WeightWish weight_wish(const Json& json) {
  constexpr std::string_view kFields[] = {"bits", "granularity", "group_size"};
  check_fields(json, kFields);
  WeightWish wish;
  if (json.contains("bits")) {
    std::int64_t bits = integer_in(json, "bits");
    if (bits < 2 || bits > 16) {
      throw BadField{fmt::format("'bits' of weights must be 2 to 8 or 16, not {}", bits)};
    }
    wish.bits = static_cast<int>(bits);
  }
  if (json.contains("granularity")) {
    wish.granularity = static_cast<Kind>(word_in(json, "granularity", kGranularities));
  }
  if (json.contains("group_size")) {
    wish.group_size = integer_in(json, "group_size");
    if (*wish.group_size < 1) {
      throw BadField{fmt::format("'group_size' must be 1 or more, not {}", *wish.group_size)};
    }
    wish.granularity = wish.granularity.value_or(Kind::kPerGroup);
  }
  return wish;
}

std::string calibrator_in(const Json& json) {
  std::string text = text_in(json, "calibrator");
  Result<CalibrationMethod> method = CalibrationMethod::parse(text);
  if (!method.ok()) {
    throw BadField{method.status().message()};
  }
  return text;
}

void check_activation_fields(const Json& json, std::span<const std::string_view> fields) {
  if (json.contains("group_size") || json.contains("granularity")) {
    throw BadField{"activations have one scale per tensor; 'granularity' and 'group_size' are for weights"};
  }
  check_fields(json, fields);
}

RecipeOverride override_from_json(const Json& json) {
  constexpr std::string_view kFields[] = {"nodes", "operator", "float", "weights", "activations"};
  if (!json.is_object()) {
    throw BadField{"it must be an object"};
  }
  check_fields(json, kFields);
  RecipeOverride override;
  override.nodes = json.contains("nodes") ? text_in(json, "nodes") : "";
  if (json.contains("operator")) {
    std::string name = text_in(json, "operator");
    override.op = find_op(name);
    if (!override.op) {
      std::string guess = nearest_operator(name);
      throw BadField{fmt::format("there is no operator '{}'{}", name,
                                 guess.empty() ? "" : fmt::format("; did you mean {}?", guess))};
    }
  }
  if (override.nodes.empty() && !override.op) {
    throw BadField{"it must name 'nodes' or an 'operator'"};
  }
  override.in_float = json.contains("float") && bool_in(json, "float");
  if (json.contains("weights")) {
    WeightWish wish = weight_wish(object_in(json, "weights"));
    override.weight_bits = wish.bits;
    override.granularity = wish.granularity;
    override.group_size = wish.group_size;
  }
  if (json.contains("activations")) {
    const Json& activations = object_in(json, "activations");
    constexpr std::string_view kOfNode[] = {"type", "calibrator"};
    check_activation_fields(activations, kOfNode);
    if (activations.contains("type")) {
      ActivationWish wish = activation_wish(activations);
      override.mode = wish.mode;
      override.activations = wish.type;
    }
    if (activations.contains("calibrator")) {
      override.calibrator = calibrator_in(activations);
    }
  }
  return override;
}

void read_weights(const Json& json, Recipe& recipe) {
  WeightWish wish = weight_wish(json);
  recipe.weights.bits = wish.bits.value_or(recipe.weights.bits);
  if (wish.granularity) {
    recipe.per_channel = *wish.granularity != Kind::kPerTensor;
    recipe.group_size =
        *wish.granularity == Kind::kPerGroup ? (recipe.group_size > 0 ? recipe.group_size : 32) : 0;
  }
  if (wish.group_size) {
    if (wish.granularity != Kind::kPerGroup) {
      throw BadField{"'group_size' is for weights of granularity per_group"};
    }
    recipe.group_size = *wish.group_size;
  }
}

void read_activations(const Json& json, Recipe& recipe) {
  constexpr std::string_view kOfRecipe[] = {"type", "calibrator", "contain_zero", "protect"};
  check_activation_fields(json, kOfRecipe);
  if (json.contains("type")) {
    ActivationWish wish = activation_wish(json);
    recipe.mode = wish.mode;
    recipe.activations = wish.type;
  }
  if (json.contains("calibrator")) {
    recipe.calibrator = calibrator_in(json);
  }
  if (json.contains("protect")) {
    recipe.protect = bool_in(json, "protect");
  }
  if (json.contains("contain_zero")) {
    recipe.activation_rule =
        bool_in(json, "contain_zero") ? RangeRule::kContainZero : RangeRule::kPlainMinMax;
  }
}

Recipe recipe_from(const Json& json) {
  constexpr std::string_view kFields[] = {"format",       "version",        "base",        "weights",
                                          "activations",  "correct_biases", "border_bits", "output",
                                          "improvements", "overrides"};
  check_fields(json, kFields);
  Result<Recipe> base = base_recipe(json.contains("base") ? text_in(json, "base") : "static_w8a8");
  if (!base.ok()) {
    throw BadField{base.status().message()};
  }
  Recipe recipe = *std::move(base);
  if (json.contains("weights")) {
    read_weights(object_in(json, "weights"), recipe);
  }
  if (json.contains("activations")) {
    read_activations(object_in(json, "activations"), recipe);
  }
  if (json.contains("correct_biases")) {
    recipe.correct_biases = bool_in(json, "correct_biases");
  }
  if (json.contains("border_bits")) {
    recipe.border_bits = static_cast<int>(std::clamp<std::int64_t>(integer_in(json, "border_bits"), -1, 64));
  }
  if (json.contains("output")) {
    recipe.output = static_cast<Recipe::Output>(word_in(json, "output", kOutputs));
  }
  for (const Json& name : json.contains("improvements") ? list_in(json, "improvements") : Json::array()) {
    if (!name.is_string()) {
      throw BadField{"'improvements' must hold names"};
    }
    recipe.improvements.push_back(name.get<std::string>());
  }
  std::size_t number = 0;
  for (const Json& override : json.contains("overrides") ? list_in(json, "overrides") : Json::array()) {
    try {
      recipe.overrides.push_back(override_from_json(override));
    } catch (const BadField& bad) {
      throw BadField{fmt::format("override {}: {}", number, bad.why)};
    }
    ++number;
  }
  return recipe;
}

Json override_to_json(const RecipeOverride& override) {
  Json json = Json::object();
  if (!override.nodes.empty()) {
    json["nodes"] = override.nodes;
  }
  if (override.op) {
    json["operator"] = name_of(*override.op);
  }
  if (override.in_float) {
    json["float"] = true;
  }
  if (override.weight_bits) {
    json["weights"]["bits"] = *override.weight_bits;
  }
  if (override.granularity) {
    json["weights"]["granularity"] = kGranularities[static_cast<std::size_t>(*override.granularity)];
  }
  if (override.group_size) {
    json["weights"]["group_size"] = *override.group_size;
  }
  if (override.mode || override.activations) {
    json["activations"]["type"] = activation_word(override.mode.value_or(ActivationMode::kStatic),
                                                  override.activations.value_or(QuantizedType{8, false}));
  }
  if (override.calibrator) {
    json["activations"]["calibrator"] = *override.calibrator;
  }
  return json;
}

}  // namespace

std::string to_json(const Recipe& recipe) {
  Kind granularity =
      recipe.group_size > 0 ? Kind::kPerGroup : (recipe.per_channel ? Kind::kPerChannel : Kind::kPerTensor);
  Json json{{"format", "zeropoint recipe"},
            {"version", 1},
            {"base", recipe.base},
            {"weights",
             {{"bits", recipe.weights.bits},
              {"granularity", kGranularities[static_cast<std::size_t>(granularity)]}}},
            {"activations",
             {{"type", activation_word(recipe.mode, recipe.activations)},
              {"contain_zero", recipe.activation_rule == RangeRule::kContainZero},
              {"protect", recipe.protect}}},
            {"correct_biases", recipe.correct_biases},
            {"border_bits", recipe.border_bits},
            {"output", kOutputs[static_cast<std::size_t>(recipe.output)]},
            {"improvements", recipe.improvements},
            {"overrides", Json::array()}};
  if (!recipe.calibrator.empty()) {
    json["activations"]["calibrator"] = recipe.calibrator;
  }
  if (recipe.group_size > 0) {
    json["weights"]["group_size"] = recipe.group_size;
  }
  for (const RecipeOverride& override : recipe.overrides) {
    json["overrides"].push_back(override_to_json(override));
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

Result<Recipe> recipe_from_json(std::string_view text) {
  try {
    Json json = Json::parse(text);
    if (!json.is_object() || (json.contains("format") && json["format"] != "zeropoint recipe")) {
      return Status::corrupt("not a zeropoint recipe");
    }
    if (json.contains("version") && json["version"] != 1) {
      return Status::unsupported("not a zeropoint recipe of version 1");
    }
    Recipe recipe = recipe_from(json);
    ZP_RETURN_IF_ERROR(check_recipe(recipe).at("recipe"));
    return recipe;
  } catch (const BadField& bad) {
    return Status::corrupt("recipe: " + bad.why);
  } catch (const nlohmann::json::parse_error& error) {
    return Status::corrupt(fmt::format("recipe: not JSON at byte {}", error.byte));
  } catch (const std::exception& error) {
    return Status::corrupt(std::string("recipe: ") + error.what());
  }
}

}  // namespace zeropoint::toolchain
