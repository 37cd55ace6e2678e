// The statistics file, docs/statistics.md.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "io/catch_exceptions.h"
#include "io/json_fields.h"
#include "zeropoint/toolchain/statistics.h"

namespace zeropoint::toolchain {
namespace {

using json_fields::BadField;
using json_fields::check_fields;
using json_fields::integer;
using json_fields::integer_in;
using json_fields::Json;
using json_fields::list_in;
using json_fields::member;
using json_fields::object_in;
using json_fields::text_in;

constexpr const char* kFormat = "zeropoint statistics";
constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kMostCount = std::int64_t{1} << 62;

Json histogram_to_json(const Histogram& histogram) {
  auto bins = histogram.bins();
  auto used = [](std::int64_t count) { return count != 0; };
  auto first = std::find_if(bins.begin(), bins.end(), used);
  auto last = std::find_if(bins.rbegin(), bins.rend(), used).base();
  Json json{{"zeros", histogram.zeros()}};
  if (first != bins.end()) {
    json["exponent"] = histogram.exponent();
    json["first"] = first - bins.begin();
    json["counts"] = std::vector<std::int64_t>(first, last);
  }
  return json;
}

Json channels_to_json(const ChannelStatistics& channels) {
  Json json{{"axis", channels.axis}, {"per_channel", channels.per_channel}};
  for (const RealRange& range : channels.ranges) {
    json["min"].push_back(range.r_min);
    json["max"].push_back(range.r_max);
  }
  for (const ExactSum& sum : channels.sums) {
    json["sum"].push_back(sum.to_text());
  }
  return json;
}

Json tensor_to_json(const std::string& name, const TensorStatistics& tensor) {
  Json json{{"tensor", name},
            {"min", tensor.range.r_min},
            {"max", tensor.range.r_max},
            {"moving_average",
             {{"runs", tensor.moving_average.runs},
              {"low", tensor.moving_average.low},
              {"high", tensor.moving_average.high}}},
            {"histogram", histogram_to_json(tensor.histogram)}};
  if (tensor.channels.size() > 0) {
    json["channels"] = channels_to_json(tensor.channels);
  }
  return json;
}

/// A number that float32 holds, as float64.
double real(const Json& value, const char* name) {
  double number = value.is_number() ? value.get<double>() : std::numeric_limits<double>::infinity();
  if (!(std::abs(number) <= std::numeric_limits<float>::max())) {
    throw BadField{fmt::format("'{}' must hold numbers that float32 holds", name)};
  }
  return number;
}

RealRange range_of(const Json& low, const Json& high) {
  RealRange range{static_cast<float>(real(low, "min")), static_cast<float>(real(high, "max"))};
  if (range.r_min > range.r_max) {
    throw BadField{fmt::format("'min' {} is above 'max' {}", range.r_min, range.r_max)};
  }
  return range;
}

Histogram histogram_from(const Json& json) {
  check_fields(json, {"zeros", "exponent", "first", "counts"});
  std::int64_t zeros = integer_in(json, "zeros", 0, kMostCount);
  int exponent = Histogram::kMinExponent;
  std::vector<std::int64_t> bins;
  if (json.contains("counts")) {
    const Json& counts = list_in(json, "counts");
    std::int64_t first = integer_in(json, "first", 0, Histogram::kBins - 1);
    exponent =
        static_cast<int>(integer_in(json, "exponent", Histogram::kMinExponent, Histogram::kMaxExponent));
    if (counts.size() > static_cast<std::size_t>(Histogram::kBins - first)) {
      throw BadField{fmt::format("{} 'counts' from bin {} on; there are {} bins", counts.size(), first,
                                 Histogram::kBins)};
    }
    bins.resize(Histogram::kBins);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      bins[static_cast<std::size_t>(first) + i] = integer(counts[i], "counts", 0, kMostCount);
    }
  }
  Result<Histogram> histogram = Histogram::from_counts(exponent, zeros, std::move(bins));
  if (!histogram.ok()) {
    throw BadField{histogram.status().message()};
  }
  return *std::move(histogram);
}

/// The smallest and the largest value must lie in the first and the last bin that is in use.
void check_range(const TensorStatistics& tensor) {
  const Histogram& histogram = tensor.histogram;
  struct Span {
    double low;
    double high;
  };
  Span from{0, 0};
  Span to{0, 0};
  if (histogram.count() > histogram.zeros()) {
    auto bins = histogram.bins();
    auto used = [](std::int64_t count) { return count != 0; };
    int first = static_cast<int>(std::find_if(bins.begin(), bins.end(), used) - bins.begin());
    int last = static_cast<int>(bins.rend() - std::find_if(bins.rbegin(), bins.rend(), used)) - 1;
    from = {histogram.edge(first), histogram.edge(first + 1)};
    to = {histogram.edge(last), histogram.edge(last + 1)};
    if (histogram.zeros() > 0) {
      from = {std::min(from.low, 0.0), std::min(from.high, 0.0)};
      to = {std::max(to.low, 0.0), std::max(to.high, 0.0)};
    }
  }
  if (tensor.range.r_min < from.low || tensor.range.r_min > from.high || tensor.range.r_max < to.low ||
      tensor.range.r_max > to.high) {
    throw BadField{"'min' and 'max' are not in the outermost bins that 'counts' fills"};
  }
}

ChannelStatistics channels_from(const Json& json, const TensorStatistics& tensor) {
  check_fields(json, {"axis", "per_channel", "min", "max", "sum"});
  ChannelStatistics channels;
  channels.axis = integer_in(json, "axis", 0, std::numeric_limits<std::int32_t>::max());
  channels.per_channel = integer_in(json, "per_channel", 1, kMostCount);
  const Json& low = list_in(json, "min");
  const Json& high = list_in(json, "max");
  const Json& sums = list_in(json, "sum");
  if (low.empty() || low.size() != high.size() || low.size() != sums.size() ||
      tensor.count() / channels.per_channel != static_cast<std::int64_t>(low.size()) ||
      tensor.count() % channels.per_channel != 0) {
    throw BadField{
        fmt::format("{} values are not {} for each of {} channels, with {} minima, {} maxima and {} sums",
                    tensor.count(), channels.per_channel, low.size(), low.size(), high.size(), sums.size())};
  }
  auto count = static_cast<double>(channels.per_channel);
  for (std::size_t c = 0; c < low.size(); ++c) {
    RealRange range = range_of(low[c], high[c]);
    Result<ExactSum> sum = sums[c].is_string() ? ExactSum::from_text(sums[c].get_ref<const std::string&>())
                                               : Status::corrupt("a sum must be a text");
    if (!sum.ok()) {
      throw BadField{fmt::format("channel {}: {}", c, sum.status().message())};
    }
    // Sums of a run are rounded to float64, so their mean may lie beyond the range by that.
    double mean = sum->value() / count;
    double slack = 1e-6 * std::max(std::abs(range.r_min), std::abs(range.r_max));
    if (range.r_min < tensor.range.r_min || range.r_max > tensor.range.r_max || mean < range.r_min - slack ||
        mean > range.r_max + slack) {
      throw BadField{fmt::format("channel {}: range or mean is not within the tensor's range", c)};
    }
    channels.ranges.push_back(range);
    channels.sums.push_back(*sum);
  }
  return channels;
}

TensorStatistics tensor_from(const Json& json) {
  check_fields(json, {"tensor", "min", "max", "moving_average", "histogram", "channels"});
  TensorStatistics tensor;
  tensor.range = range_of(member(json, "min"), member(json, "max"));
  const Json& average = object_in(json, "moving_average");
  check_fields(average, {"runs", "low", "high"});
  tensor.moving_average = {integer_in(average, "runs", 0, kMostCount), real(member(average, "low"), "low"),
                           real(member(average, "high"), "high")};
  tensor.histogram = histogram_from(object_in(json, "histogram"));
  if (tensor.count() == 0) {
    throw BadField{"nothing was seen of it"};
  }
  check_range(tensor);
  if (json.contains("channels")) {
    tensor.channels = channels_from(object_in(json, "channels"), tensor);
  }
  return tensor;
}

Statistics statistics_from(const Json& json) {
  check_fields(json, {"format", "version", "model", "parts", "tensors"});
  Statistics statistics;
  statistics.model = text_in(json, "model");
  for (const Json& part : list_in(json, "parts")) {
    if (!part.is_object()) {
      throw BadField{"'parts' must hold objects"};
    }
    check_fields(part, {"data", "samples"});
    std::int64_t samples = integer_in(part, "samples", 0, kMostCount);
    if (samples > kMostCount - statistics.samples()) {
      throw BadField{"more than 2^62 samples"};
    }
    statistics.parts.push_back({text_in(part, "data"), samples});
  }
  for (const Json& tensor : list_in(json, "tensors")) {
    if (!tensor.is_object()) {
      throw BadField{"'tensors' must hold objects"};
    }
    std::string name = text_in(tensor, "tensor");
    try {
      if (!statistics.tensors.emplace(name, tensor_from(tensor)).second) {
        throw BadField{"it is listed twice"};
      }
    } catch (const BadField& bad) {
      throw BadField{fmt::format("tensor '{}': {}", name, bad.why)};
    }
  }
  return statistics;
}

}  // namespace

std::string to_json(const Statistics& statistics) {
  Json json{{"format", kFormat}, {"version", kVersion}, {"model", statistics.model}};
  json["parts"] = Json::array();
  for (const Statistics::Part& part : statistics.parts) {
    json["parts"].push_back({{"data", part.data}, {"samples", part.samples}});
  }
  // One line per tensor: long enough for machines, short enough to be looked at.
  json["tensors"] = Json::array();
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize(text.size() - 2);  // "]}"
  const char* separator = "\n";
  for (const auto& [name, tensor] : statistics.tensors) {
    text += separator + tensor_to_json(name, tensor).dump(-1, ' ', false, Json::error_handler_t::replace);
    separator = ",\n";
  }
  return text + "\n]}\n";
}

Result<Statistics> statistics_from_json(std::string_view text) {
  return catch_exceptions("statistics", [&]() -> Result<Statistics> {
    Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded() || !json.is_object() || json.value("format", Json()) != kFormat) {
      return Status::corrupt("not a statistics file of zeropoint");
    }
    if (json.value("version", Json()) != kVersion) {
      return Status::unsupported(fmt::format("a statistics file of another version than {}", kVersion));
    }
    try {
      return statistics_from(json);
    } catch (const BadField& bad) {
      return Status::corrupt(bad.why);
    }
  });
}

}  // namespace zeropoint::toolchain
