// The plan as JSON, and as a table.

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "io/json_fields.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {
namespace {

using namespace json_fields;

constexpr std::string_view kRoles[] = {"activation", "weight", "bias"};
constexpr std::string_view kGranularities[] = {"per_tensor", "per_channel", "per_group"};

Json decision_to_json(const Decision& decision) {
  Json json{{"tensor", decision.tensor},
            {"role", kRoles[static_cast<std::size_t>(decision.role)]},
            {"bits", decision.type.bits},
            {"signed", decision.type.is_signed},
            {"narrow", decision.type.narrow},
            {"granularity", kGranularities[static_cast<std::size_t>(decision.params.granularity.kind)]}};
  if (decision.params.granularity.kind != Granularity::Kind::kPerTensor) {
    json["axis"] = decision.params.granularity.axis;
  }
  if (decision.params.granularity.kind == Granularity::Kind::kPerGroup) {
    json["group_size"] = decision.params.granularity.group_size;
  }
  for (const QuantParams& params : decision.params.params) {
    json["scale"].push_back(params.scale);
    json["zero_point"].push_back(params.zero_point);
  }
  if (decision.dynamic) {
    json["dynamic"] = true;
  }
  if (!decision.values.empty()) {
    json["values"] = decision.values;
  }
  if (!decision.layer.empty()) {
    json["layer"] = decision.layer;
  }
  if (!decision.readers.empty()) {
    json["readers"] = decision.readers;
  }
  if (!decision.shares_with.empty()) {
    json["shares_with"] = decision.shares_with;
  }
  json["reason"] = decision.reason;
  return json;
}

float scale_of(const Json& value) {
  double scale = value.is_number() ? value.get<double>() : 0;
  // In this order: a double beyond float32 must not be converted.
  if (!(scale >= std::numeric_limits<float>::min() && scale <= std::numeric_limits<float>::max())) {
    throw BadField{"'scale' must hold positive normal float32 numbers"};
  }
  return static_cast<float>(scale);
}

TensorParams params_from_json(const Json& json) {
  TensorParams params;
  Granularity& granularity = params.granularity;
  granularity.kind = static_cast<Granularity::Kind>(word_in(json, "granularity", kGranularities));
  if (granularity.kind != Granularity::Kind::kPerTensor) {
    granularity.axis = integer_in(json, "axis");
  }
  if (granularity.kind == Granularity::Kind::kPerGroup) {
    granularity.group_size = integer_in(json, "group_size");
  }
  const Json& scales = list_in(json, "scale");
  const Json& zero_points = list_in(json, "zero_point");
  if (scales.empty() || scales.size() != zero_points.size()) {
    throw BadField{fmt::format("{} scales and {} zero points; as many of each are needed, and one at least",
                               scales.size(), zero_points.size())};
  }
  for (std::size_t i = 0; i < scales.size(); ++i) {
    params.params.push_back({scale_of(scales[i]), integer(zero_points[i], "zero_point")});
  }
  return params;
}

std::vector<std::string> texts_in(const Json& json, const char* name) {
  std::vector<std::string> texts;
  for (const Json& text : json.contains(name) ? list_in(json, name) : Json::array()) {
    if (!text.is_string()) {
      throw BadField{fmt::format("'{}' must hold texts", name)};
    }
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

Decision decision_from_json(const Json& json) {
  constexpr std::string_view kFields[] = {
      "tensor", "role",       "bits",   "signed", "narrow",  "granularity", "axis",        "group_size",
      "scale",  "zero_point", "values", "layer",  "dynamic", "readers",     "shares_with", "reason"};
  Decision decision;
  decision.tensor = text_in(json, "tensor");
  decision.role = static_cast<TensorRole>(word_in(json, "role", kRoles));
  std::int64_t bits = integer_in(json, "bits");
  if (bits < 2 || bits > 32) {
    throw BadField{fmt::format("{} bits are not supported; use 2 to 8, 16 or 32", bits)};
  }
  decision.type = {static_cast<int>(bits), bool_in(json, "signed"), bool_in(json, "narrow")};
  Result<QuantizedRange> range = decision.type.range();
  if (!range.ok()) {
    throw BadField{range.status().message()};
  }
  decision.dynamic = json.contains("dynamic") && bool_in(json, "dynamic");
  if (!decision.dynamic) {
    decision.params = params_from_json(json);
  }
  decision.readers = texts_in(json, "readers");
  for (const Json& value : json.contains("values") ? list_in(json, "values") : Json::array()) {
    double real = value.is_number() ? value.get<double>() : HUGE_VAL;
    if (!(std::abs(real) <= std::numeric_limits<float>::max())) {
      throw BadField{"'values' must hold finite float32 numbers"};
    }
    decision.values.push_back(static_cast<float>(real));
  }
  if (!decision.values.empty() && decision.role != TensorRole::kBias) {
    throw BadField{"only biases have 'values'"};
  }
  decision.layer = json.contains("layer") ? text_in(json, "layer") : "";
  decision.shares_with = json.contains("shares_with") ? text_in(json, "shares_with") : "";
  decision.reason = json.contains("reason") ? text_in(json, "reason") : "";
  check_fields(json, kFields);
  return decision;
}

/// "'conv1.weight'", or the number of a decision that has no name.
std::string label_of(const Json& json, std::size_t number) {
  auto name = json.find("tensor");
  return json.is_object() && name != json.end() && name->is_string()
             ? fmt::format("tensor '{}'", name->get<std::string>())
             : fmt::format("decision {}", number);
}

QuantPlan plan_from(const Json& json) {
  QuantPlan plan;
  std::size_t number = 0;
  for (const Json& decision : list_in(json, "decisions")) {
    try {
      if (!decision.is_object()) {
        throw BadField{"it is not an object"};
      }
      plan.decisions.push_back(decision_from_json(decision));
    } catch (const BadField& bad) {
      throw BadField{label_of(decision, number) + ": " + bad.why};
    }
    ++number;
  }
  for (const Json& node : json.contains("floats") ? list_in(json, "floats") : Json::array()) {
    if (!node.is_object()) {
      throw BadField{"'floats' must hold objects"};
    }
    plan.floats.push_back({text_in(node, "node"), text_in(node, "op"), text_in(node, "reason")});
  }
  plan.improvements = texts_in(json, "improvements");
  return plan;
}

std::string scale_text(const Decision& decision) {
  const std::vector<QuantParams>& params = decision.params.params;
  if (decision.dynamic) {
    return "dynamic";
  }
  return params.size() == 1 ? fmt::format("{:.6g}", params[0].scale)
                            : fmt::format("{} values", params.size());
}

}  // namespace

std::string to_json(const QuantPlan& plan) {
  Json json{{"format", "zeropoint plan"}, {"version", 1}};
  if (!plan.improvements.empty()) {
    json["improvements"] = plan.improvements;
  }
  json["decisions"] = Json::array();
  for (const Decision& decision : plan.decisions) {
    json["decisions"].push_back(decision_to_json(decision));
  }
  for (const FloatNode& node : plan.floats) {
    json["floats"].push_back({{"node", node.node}, {"op", node.op}, {"reason", node.reason}});
  }
  // Names from hostile models may be no UTF-8, which JSON cannot hold.
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

Result<QuantPlan> plan_from_json(std::string_view text) {
  try {
    Json json = Json::parse(text);
    if (!json.is_object() || json.value("format", Json()) != "zeropoint plan") {
      return Status::corrupt("not a zeropoint plan");
    }
    if (json.value("version", Json()) != 1) {
      return Status::unsupported("not a zeropoint plan of version 1");
    }
    return plan_from(json);
  } catch (const BadField& bad) {
    return Status::corrupt("plan: " + bad.why);
  } catch (const nlohmann::json::parse_error& error) {
    return Status::corrupt(fmt::format("plan: not JSON at byte {}", error.byte));
  } catch (const nlohmann::json::out_of_range&) {
    return Status::corrupt("plan: a number is beyond float64");
  } catch (const std::exception& error) {
    return Status::corrupt(std::string("plan: ") + error.what());
  }
}

std::string print(const QuantPlan& plan) {
  std::string text =
      fmt::format("{:<18} {:<10} {:<7} {:>12} {:>6}  {}\n", "tensor", "role", "type", "scale", "zero", "why");
  for (const Decision& decision : plan.decisions) {
    text += fmt::format(
        "{:<18} {:<10} {:<7} {:>12} {:>6}  {}\n", decision.tensor,
        kRoles[static_cast<std::size_t>(decision.role)], decision.type.name(), scale_text(decision),
        decision.params.params.size() == 1 ? decision.params.params[0].zero_point : 0, decision.reason);
  }
  for (const FloatNode& node : plan.floats) {
    text += fmt::format("{:<18} {:<10} {:<7} {:>12} {:>6}  {}\n", node.node, node.op, "float", "", "",
                        node.reason);
  }
  return text;
}

}  // namespace zeropoint::toolchain
