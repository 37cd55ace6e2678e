// The plan as JSON, and as a table.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {
namespace {

using Json = nlohmann::ordered_json;

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
  if (!decision.shares_with.empty()) {
    json["shares_with"] = decision.shares_with;
  }
  json["reason"] = decision.reason;
  return json;
}

/// The index of `name` in `names`, or an exception that the caller turns into a Status.
template <std::size_t kCount>
std::size_t index_in(const std::string_view (&names)[kCount], const std::string& name) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (names[i] == name) {
      return i;
    }
  }
  throw std::invalid_argument("unknown word '" + name + "'");
}

Decision decision_from_json(const Json& json) {
  Decision decision;
  decision.tensor = json.at("tensor").get<std::string>();
  decision.role = static_cast<TensorRole>(index_in(kRoles, json.at("role").get<std::string>()));
  decision.type = {json.at("bits").get<int>(), json.at("signed").get<bool>(), json.at("narrow").get<bool>()};
  Granularity& granularity = decision.params.granularity;
  granularity.kind =
      static_cast<Granularity::Kind>(index_in(kGranularities, json.at("granularity").get<std::string>()));
  granularity.axis = json.value("axis", std::int64_t{0});
  granularity.group_size = json.value("group_size", std::int64_t{0});
  auto scales = json.at("scale").get<std::vector<float>>();
  auto zero_points = json.at("zero_point").get<std::vector<std::int64_t>>();
  if (scales.size() != zero_points.size()) {
    throw std::invalid_argument("as many zero points as scales are needed");
  }
  for (std::size_t i = 0; i < scales.size(); ++i) {
    decision.params.params.push_back({scales[i], zero_points[i]});
  }
  decision.shares_with = json.value("shares_with", std::string());
  decision.reason = json.value("reason", std::string());
  return decision;
}

std::string scale_text(const Decision& decision) {
  const std::vector<QuantParams>& params = decision.params.params;
  return params.size() == 1 ? fmt::format("{:.6g}", params[0].scale)
                            : fmt::format("{} values", params.size());
}

}  // namespace

std::string to_json(const QuantPlan& plan) {
  Json json{{"format", "zeropoint plan"}, {"version", 1}, {"decisions", Json::array()}};
  for (const Decision& decision : plan.decisions) {
    json["decisions"].push_back(decision_to_json(decision));
  }
  return json.dump(1);
}

Result<QuantPlan> plan_from_json(std::string_view text) {
  try {
    Json json = Json::parse(text);
    if (json.at("format") != "zeropoint plan" || json.at("version") != 1) {
      return Status::unsupported("not a zeropoint plan of version 1");
    }
    QuantPlan plan;
    for (const Json& decision : json.at("decisions")) {
      plan.decisions.push_back(decision_from_json(decision));
    }
    return plan;
  } catch (const std::exception& error) {
    return Status::corrupt(std::string("not a plan: ") + error.what());
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
  return text;
}

}  // namespace zeropoint::toolchain
