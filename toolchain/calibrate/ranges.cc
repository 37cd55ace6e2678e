#include "zeropoint/toolchain/ranges.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "calibrate/range_search.h"
#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::toolchain {
namespace {

using Kind = CalibrationMethod::Kind;

struct Name {
  const char* text;
  Kind kind;
};
constexpr Name kNames[] = {
    {"minmax", Kind::kMinMax},
    {"moving_average", Kind::kMovingAverage},
    {"percentile", Kind::kPercentile},
    {"entropy", Kind::kEntropy},
    {"entropy-chapter", Kind::kEntropyChapter},
    {"mse", Kind::kMse},
};

/// The value below which `below` of the values lie, those of one bin being spread evenly in it.
double quantile(const Histogram& histogram, double below) {
  double passed = 0;
  for (int i = 0; i < static_cast<int>(histogram.bins().size()); ++i) {
    if (i == Histogram::kSide) {
      passed += static_cast<double>(histogram.zeros());
      if (passed >= below) {
        return 0;
      }
    }
    auto here = static_cast<double>(histogram.bins()[static_cast<std::size_t>(i)]);
    if (here > 0 && passed + here >= below) {
      return histogram.edge(i) + histogram.width() * (below - passed) / here;
    }
    passed += here;
  }
  return 0;  // nothing but zeros
}

RealRange within(RealRange seen, double low, double high) {
  return {std::clamp(static_cast<float>(low), seen.r_min, seen.r_max),
          std::clamp(static_cast<float>(high), seen.r_min, seen.r_max)};
}

RealRange percentile_range(const TensorStatistics& tensor, double percent) {
  auto count = static_cast<double>(tensor.count());
  double outside = count * (100 - percent) / 200;
  return within(tensor.range, quantile(tensor.histogram, outside),
                quantile(tensor.histogram, count - outside));
}

}  // namespace

Result<CalibrationMethod> CalibrationMethod::parse(std::string_view text) {
  std::size_t colon = text.find(':');
  std::string word(text.substr(0, colon));
  std::vector<std::string> words;
  for (const Name& name : kNames) {
    words.emplace_back(name.text);
    if (word != name.text) {
      continue;
    }
    CalibrationMethod method;
    method.kind = name.kind;
    if (colon == std::string_view::npos) {
      return method;
    }
    if (name.kind != Kind::kPercentile) {
      return Status::invalid_argument(fmt::format("calibration method '{}' takes no number", word));
    }
    std::string_view number = text.substr(colon + 1);
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), method.percent);
    if (error != std::errc() || end != number.data() + number.size() ||
        !(method.percent > 50 && method.percent <= 100)) {
      return Status::invalid_argument(fmt::format(
          "'{}' is no percentile; use a number above 50 and up to 100, as percentile:99.99", text));
    }
    return method;
  }
  std::string guess = nearest(word, words);
  return Status::invalid_argument(fmt::format(
      "there is no calibration method '{}'; {}", word,
      guess.empty() ? fmt::format("use {}", fmt::join(words, ", ")) : "did you mean " + guess + "?"));
}

std::string CalibrationMethod::name() const {
  const Name& name =
      *std::find_if(std::begin(kNames), std::end(kNames), [&](const Name& one) { return one.kind == kind; });
  return kind == Kind::kPercentile ? fmt::format("{}:{}", name.text, percent) : name.text;
}

std::string CalibrationMethod::listed() {
  std::string text;
  for (const Name& name : kNames) {
    text += (text.empty() ? "" : ", ") + std::string(name.text) +
            (name.kind == Kind::kPercentile ? fmt::format(":P (P = {})", CalibrationMethod().percent) : "");
  }
  return text;
}

RealRange choose_range(const TensorStatistics& tensor, const CalibrationMethod& method, QuantizedType type) {
  if (tensor.count() == 0) {
    return {};
  }
  switch (method.kind) {
    case Kind::kMinMax:
      return tensor.range;
    case Kind::kMovingAverage: {
      RealRange average = tensor.moving_average.range();
      return within(tensor.range, average.r_min, average.r_max);
    }
    case Kind::kPercentile:
      return percentile_range(tensor, method.percent);
    case Kind::kEntropy:
      return least_divergence_range(tensor.histogram, tensor.range, type);
    case Kind::kEntropyChapter:
      return chapter_divergence_range(tensor.histogram, tensor.range);
    case Kind::kMse:
      return least_squares_range(tensor.histogram, tensor.range, type);
  }
  return tensor.range;
}

RangeTable choose_ranges(const Statistics& statistics, const CalibrationMethod& method, QuantizedType type) {
  RangeTable table{method.name(), statistics.samples(), statistics.data(), {}};
  for (const auto& [name, tensor] : statistics.tensors) {
    table.ranges[name] = choose_range(tensor, method, type);
  }
  return table;
}

}  // namespace zeropoint::toolchain
