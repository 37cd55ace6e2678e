// Preprocessing descriptions as JSON: docs/preprocess.md.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/boundary.h"
#include "data/preprocess_words.h"
#include "import/printable.h"
#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::toolchain {
namespace {

using Json = nlohmann::ordered_json;

Status wrong(const std::string& key, const std::string& what) {
  return Status::invalid_argument(fmt::format("preprocessing: '{}' must be {}", key, what));
}

Result<std::int64_t> side(const std::string& key, const Json& value) {
  if (!value.is_number_integer() || value.get<double>() < 1 || value.get<double>() > 1e6) {
    return wrong(key, "a whole number of pixels, or [height, width]");
  }
  return value.get<std::int64_t>();
}

Result<PixelSize> size(const std::string& key, const Json& value) {
  if (!value.is_array()) {
    ZP_ASSIGN_OR_RETURN(std::int64_t both, side(key, value));
    return PixelSize{both, both};
  }
  if (value.size() != 2) {
    return wrong(key, "a whole number of pixels, or [height, width]");
  }
  ZP_ASSIGN_OR_RETURN(std::int64_t height, side(key, value[0]));
  ZP_ASSIGN_OR_RETURN(std::int64_t width, side(key, value[1]));
  return PixelSize{height, width};
}

Result<std::string> word(const std::string& key, const Json& value) {
  return value.is_string() ? Result<std::string>(value.get<std::string>())
                           : wrong(key, "a word between quotes");
}

Result<std::vector<float>> numbers(const std::string& key, const Json& value) {
  std::vector<float> result;
  for (const Json& number : value.is_array() ? value : Json::array({value})) {
    if (!number.is_number()) {
      return wrong(key, "a number or a list of numbers, one per channel");
    }
    result.push_back(number.get<float>());
  }
  return result;
}

/// Collects scale, mean and std, which make the transform together.
struct Numbers {
  Transform scale;
  std::vector<float> mean;
  std::vector<float> std;
};

Status read_entry(const std::string& key, const Json& value, Preprocess& how, Numbers& found) {
  if (key == "resize" && !value.is_array()) {
    ZP_ASSIGN_OR_RETURN(how.shorter_side, side(key, value));
  } else if (key == "resize") {
    ZP_ASSIGN_OR_RETURN(how.resize, size(key, value));
  } else if (key == "crop") {
    ZP_ASSIGN_OR_RETURN(how.crop, size(key, value));
  } else if (key == "interpolation") {
    ZP_ASSIGN_OR_RETURN(std::string text, word(key, value));
    ZP_ASSIGN_OR_RETURN(how.interpolation, parse_interpolation(text));
  } else if (key == "channels") {
    ZP_ASSIGN_OR_RETURN(std::string text, word(key, value));
    ZP_ASSIGN_OR_RETURN(how.channels, parse_channel_order(text));
  } else if (key == "layout") {
    ZP_ASSIGN_OR_RETURN(std::string text, word(key, value));
    ZP_ASSIGN_OR_RETURN(how.layout, parse_layout(text));
  } else if (key == "scale") {
    if (!value.is_number() && !value.is_string()) {
      return wrong(key, "a number, or \"1/255\"");
    }
    ZP_ASSIGN_OR_RETURN(found.scale,
                        parse_scale(value.is_string() ? value.get<std::string>() : value.dump()));
  } else if (key == "mean") {
    ZP_ASSIGN_OR_RETURN(found.mean, numbers(key, value));
  } else if (key == "std") {
    ZP_ASSIGN_OR_RETURN(found.std, numbers(key, value));
  } else {
    std::string guess =
        nearest(key, {"resize", "interpolation", "crop", "channels", "scale", "mean", "std", "layout"});
    return Status::invalid_argument(fmt::format("preprocessing: the key '{}' is unknown{}", printable(key),
                                                guess.empty() ? "" : "; did you mean " + guess + "?"));
  }
  return {};
}

void write_step(Json& json, const Scale& step) { json["scale"] = fmt::format("1/{}", step.divisor); }
void write_step(Json& json, const Multiply& step) {
  json["scale"] = Json::parse(fmt::format("{}", step.factor));
}
void write_step(Json& json, const Normalize& step) {
  // As short as float32 needs, not with the digits of a double.
  auto list = [](const std::vector<float>& values) {
    Json numbers = Json::array();
    for (float value : values) {
      numbers.push_back(Json::parse(fmt::format("{}", value)));
    }
    return numbers;
  };
  json["mean"] = list(step.mean);
  json["std"] = list(step.std);
}

Json to_json(const PixelSize& size) { return Json::array({size.height, size.width}); }

}  // namespace

std::string to_json(const Preprocess& how) {
  Json json = Json::object();
  if (how.shorter_side) {
    json["resize"] = *how.shorter_side;
  }
  if (how.resize) {
    json["resize"] = to_json(*how.resize);
  }
  if (how.shorter_side || how.resize) {
    json["interpolation"] = word_of(how.interpolation);
  }
  if (how.crop) {
    json["crop"] = to_json(*how.crop);
  }
  if (how.channels) {
    json["channels"] = word_of(*how.channels);
  }
  for (const auto& step : how.transform.steps) {
    std::visit([&](const auto& it) { write_step(json, it); }, step);
  }
  json["layout"] = word_of(how.layout);
  return json.dump(1);
}

Result<Preprocess> preprocess_from_json(std::string_view text) {
  return without_exceptions("preprocessing", [&]() -> Result<Preprocess> {
    constexpr std::size_t kMost = 1 << 16;
    if (text.size() > kMost) {
      return Status::corrupt(fmt::format("not a preprocessing description: more than {} bytes", kMost));
    }
    // A key that comes twice would be overwritten in silence.
    std::vector<std::string> keys;
    std::string repeated;
    auto watch = [&](int depth, nlohmann::json::parse_event_t event, Json& parsed) {
      if (event == nlohmann::json::parse_event_t::key && depth == 1) {
        auto key = parsed.get<std::string>();
        repeated = std::find(keys.begin(), keys.end(), key) != keys.end() ? key : repeated;
        keys.push_back(std::move(key));
      }
      return true;
    };
    Json json = Json::parse(text, watch, false);
    if (!json.is_object()) {
      return Status::corrupt("not a preprocessing description: no JSON object");
    }
    if (!repeated.empty()) {
      return Status::invalid_argument(
          fmt::format("preprocessing: the key '{}' is there twice", printable(repeated)));
    }
    Preprocess how;
    Numbers found;
    for (const auto& [key, value] : json.items()) {
      ZP_RETURN_IF_ERROR(read_entry(key, value, how, found));
    }
    how.transform = with_mean_and_std(std::move(found.scale), std::move(found.mean), std::move(found.std));
    ZP_RETURN_IF_ERROR(how.validate());
    return how;
  });
}

Transform with_mean_and_std(Transform scale, std::vector<float> mean, std::vector<float> std) {
  if (!mean.empty() || !std.empty()) {
    scale.steps.emplace_back(Normalize{mean.empty() ? std::vector<float>{0} : std::move(mean),
                                       std.empty() ? std::vector<float>{1} : std::move(std)});
  }
  return scale;
}

}  // namespace zeropoint::toolchain
