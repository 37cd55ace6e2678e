#include "tune/trials.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace zeropoint::toolchain {
namespace {

constexpr const char* kFormat = "zeropoint tune";
constexpr int kVersion = 2;
constexpr TuneTarget kTargets[] = {TuneTarget::kTop1, TuneTarget::kPerplexity, TuneTarget::kAgreement,
                                   TuneTarget::kError};

Result<TuneTarget> target_of(const std::string& name) {
  for (TuneTarget target : kTargets) {
    if (name == name_of(target)) {
      return target;
    }
  }
  return Status::corrupt("there is no target '" + name + "'");
}

}  // namespace

Status Trials::load(const std::string& text) {
  try {
    nlohmann::json json = nlohmann::json::parse(text);
    if (json.at("format") != kFormat || json.at("version") != kVersion) {
      return Status::corrupt("it is no state of tune that this version can read");
    }
    if (json.at("subject") != subject_) {
      return Status::invalid_argument(fmt::format("it is the state of another search: {}; this one is {}",
                                                  json.at("subject").dump(),
                                                  nlohmann::json(subject_).dump()));
    }
    for (const nlohmann::json& item : json.at("trials")) {
      Trial trial;
      trial.figures = {item.at("drop").get<double>(), item.at("expected_drop").get<double>(),
                       item.at("standard_error").get<double>(), item.at("divergence").get<double>(),
                       item.at("bits").get<double>()};
      trial.float_score = item.at("float_score").get<double>();
      trial.error = item.at("error").get<std::string>();
      ZP_ASSIGN_OR_RETURN(trial.target, target_of(item.at("target").get<std::string>()));
      trials_[{item.at("recipe").get<std::string>(), item.at("samples").get<std::int64_t>()}] =
          std::move(trial);
    }
  } catch (const nlohmann::json::exception& error) {
    return Status::corrupt(fmt::format("it is no state of tune: {}", error.what()));
  }
  return {};
}

std::string Trials::text() const {
  nlohmann::ordered_json json{{"format", kFormat}, {"version", kVersion}, {"subject", subject_}};
  json["trials"] = nlohmann::ordered_json::array();
  for (const auto& [key, trial] : trials_) {
    json["trials"].push_back({{"recipe", key.first},
                              {"samples", key.second},
                              {"drop", trial.figures.drop},
                              {"expected_drop", trial.figures.expected_drop},
                              {"standard_error", trial.figures.standard_error},
                              {"divergence", trial.figures.divergence},
                              {"bits", trial.figures.bits},
                              {"float_score", trial.float_score},
                              {"target", name_of(trial.target)},
                              {"error", trial.error}});
  }
  return json.dump(1) + "\n";
}

const Trial* Trials::find(const std::string& recipe, std::int64_t samples) const {
  auto found = trials_.find({recipe, samples});
  return found == trials_.end() ? nullptr : &found->second;
}

const Trial& Trials::add(const std::string& recipe, std::int64_t samples, Trial trial) {
  return trials_[{recipe, samples}] = std::move(trial);
}

}  // namespace zeropoint::toolchain
