#include "zeropoint/toolchain/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zeropoint::toolchain {
namespace {

// A figure is told from its usual value by these.
constexpr double kMostOfIt = 0.5;       // the share of an error that makes a part its cause
constexpr double kWide = 3;             // ranges wider than their values, by this factor
constexpr double kShift = 0.15;         // of a range: idle at one end, cut off at the other
constexpr double kIdleBits = 2.5;       // bits that 99.9 % of the values leave idle
constexpr double kPoorChannels = 0.25;  // the share of channels with too few steps
constexpr double kSlack = 3;            // a weight scale wider than its weights; biases raise scales by less
constexpr double kSpread = 8;           // from the median channel's largest weight to the largest
constexpr double kFaultyClipping = 10;  // what is cut off, over what is rounded
constexpr double kGain = 1.5;           // weights that come out larger or smaller by this factor
constexpr double kPoorBiasDb = 20;

std::string percent(double share) {
  return share < 0.0001 ? fmt::format("{:.2g} %", 100 * share) : fmt::format("{:.2f} %", 100 * share);
}

/// The least and the most that the tensors of one scale hold, and 0.
struct Seen {
  double low = 0;
  double high = 0;
  [[nodiscard]] double width() const { return high - low; }
};

class Examiner {
 public:
  Examiner(const LayerMeasurement& layer, Seen seen, const CommandWords& words)
      : layer_(layer), seen_(seen), words_(words) {}

  Finding run() {
    finding_.tensor = layer_.tensor;
    finding_.node = layer_.node;
    finding_.op = layer_.op;
    finding_.sqnr_db = layer_.isolated.sqnr_db;
    double all = layer_.clipping + layer_.rounding + layer_.constants;
    if (std::abs(shift()) > kShift * (layer_.highest - layer_.lowest)) {
      shifted();
    } else if (layer_.constants >= kMostOfIt * all && layer_.constants > 0) {
      examine_constants();
    } else if (layer_.clipping >= layer_.rounding) {
      clipped();
    } else {
      examine_rounding();
    }
    return std::move(finding_);
  }

 private:
  void say(Cause cause, std::string why, std::string cure, const std::string& options) {
    finding_.cause = cause;
    finding_.why = std::move(why);
    finding_.cure = std::move(cure);
    finding_.command =
        fmt::format("zeropoint quantize {} -o {}{}{}{}{}", words_.model, words_.output,
                    words_.data.empty() ? "" : " ", words_.data, options.empty() ? "" : " ", options);
    if (!recipe_.empty()) {
      finding_.command =
          fmt::format("echo '{}' >recipe.json; {} --recipe recipe.json", recipe_, finding_.command);
    }
  }

  /// A recipe that wishes this for the layer, and where `readers` for the nodes that read its result, too;
  /// the command writes it to a file. Gives no options.
  std::string wish(std::string_view what, bool readers = false) {
    std::vector<std::string> nodes;
    if (!layer_.node.empty()) {
      nodes.push_back(layer_.node);
    }
    if (readers) {
      nodes.insert(nodes.end(), layer_.readers.begin(), layer_.readers.end());
    }
    std::string overrides;
    for (const std::string& node : nodes) {
      overrides += fmt::format(R"({}{{"nodes": "{}", {}}})", overrides.empty() ? "" : ", ", node, what);
    }
    recipe_ =
        nodes.empty() ? fmt::format("{{{}}}", what) : fmt::format(R"({{"overrides": [{}]}})", overrides);
    return "";
  }

  /// By how much the range would have to move towards values that it cuts off to leave no step idle at the
  /// other end; 0 where it holds all values, or no step is idle. A symmetric range cannot move.
  [[nodiscard]] double shift() const {
    if (!layer_.is_quantized || std::abs(layer_.lowest + layer_.highest) <= layer_.params.scale) {
      return 0;
    }
    double upwards = std::min(seen_.low - layer_.lowest, seen_.high - layer_.highest);
    double downwards = std::min(layer_.lowest - seen_.low, layer_.highest - seen_.high);
    return upwards > 0 ? upwards : -std::max(0.0, downwards);
  }

  void shifted() {
    say(Cause::kShiftedRange,
        fmt::format("its range [{:.4g}, {:.4g}] lies beside its values [{:.4g}, {:.4g}]: {} of them are cut "
                    "off, though steps at the other end are never used",
                    layer_.lowest, layer_.highest, seen_.low, seen_.high, percent(layer_.saturated)),
        "calibrate again, on data like these", "");
    finding_.is_fault = true;
  }

  void clipped() {
    say(Cause::kClipping,
        fmt::format("{} of its values lie beyond [{:.4g}, {:.4g}]; they reach [{:.4g}, {:.4g}]",
                    percent(layer_.saturated), layer_.lowest, layer_.highest, layer_.smallest_seen,
                    layer_.largest_seen),
        "calibrate again, on data like these", "");
    finding_.is_fault = layer_.clipping > kFaultyClipping * layer_.rounding;
  }

  void examine_rounding() {
    double width = seen_.width();
    double range = layer_.highest - layer_.lowest;
    // What Softmax gives lies between 0 and 1 whatever these samples say.
    if (width > 0 && range > kWide * width && layer_.op != "Softmax") {
      say(Cause::kWideRange,
          fmt::format(
              "its range [{:.4g}, {:.4g}] is {:.1f} times as wide as its values [{:.4g}, {:.4g}]: {:.1f} of "
              "{} bits are in use",
              layer_.lowest, layer_.highest, range / width, seen_.low, seen_.high, layer_.effective_bits,
              layer_.bits),
          "calibrate again, on data like these", "");
      finding_.is_fault = true;
    } else if (layer_.bits - layer_.effective_bits > kIdleBits) {
      say(Cause::kOutliers,
          fmt::format("few values set its range [{:.4g}, {:.4g}]: 99.9 % of them use {:.1f} of {} bits",
                      layer_.lowest, layer_.highest, layer_.effective_bits, layer_.bits),
          "cut the outliers off", wish(R"("activations": {"calibrator": "percentile"})"));
    } else if (layer_.poor_channels > kPoorChannels) {
      say(Cause::kChannelSpread,
          fmt::format(
              "its channels differ in size under one scale: {:.0f} % of them are 10 dB or more below the "
              "whole, channel {} has {:.1f} dB",
              100 * layer_.poor_channels, layer_.worst.channel, layer_.worst.sqnr_db),
          "bring the channels to one size", "--improve equalize");
    } else {
      say(Cause::kRounding,
          fmt::format("{:.1f} of {} bits are in use, and their steps of {:.4g} are too coarse",
                      layer_.effective_bits, layer_.bits, layer_.params.scale),
          "give it more bits", wish(R"("activations": {"type": "int16"})", true));
    }
  }

  void examine_constants() {
    if (layer_.bias && layer_.bias->sqnr_db < kPoorBiasDb && layer_.constant_shift > kMostOfIt) {
      say(Cause::kBias,
          fmt::format("its bias '{}' is not that of the float network: {:.1f} dB", layer_.bias->tensor,
                      layer_.bias->sqnr_db),
          "quantize again, from the float network", "");
      finding_.is_fault = true;
      return;
    }
    if (!layer_.weights) {
      say(Cause::kWeightRounding, "its constants are rounded too coarsely",
          "correct the bias, or give more bits", "--improve bias-correction");
      return;
    }
    examine_weights(*layer_.weights);
  }

  void examine_weights(const ConstantMeasurement& weights) {
    bool gains = weights.gain > kGain || weights.gain < 1 / kGain;
    finding_.is_fault = gains || weights.saturated > 0.001 || weights.slack > kSlack;
    if (gains && (weights.gain > 1 || weights.saturated == 0)) {
      say(Cause::kWeightScale,
          fmt::format(
              "the scale of its weights '{}' does not belong to their integers: channel {} comes out {:.3g} "
              "times as large",
              weights.tensor, weights.gain_channel, weights.gain),
          "quantize again, from the float network", "");
    } else if (weights.saturated > 0.001) {
      say(Cause::kWeightClipping,
          fmt::format("{} of its weights '{}' lie beyond the range of their integers ({:.1f} dB)",
                      percent(weights.saturated), weights.tensor, weights.sqnr_db),
          "quantize again, from the float network", "");
    } else if (weights.slack > kSlack) {
      say(Cause::kWeightScale,
          fmt::format("{} of its weights '{}' is {:.1f} times as wide as they need",
                      weights.per_channel ? fmt::format("the scale of channel {}", weights.slack_channel)
                                          : std::string("the scale"),
                      weights.tensor, weights.slack),
          "quantize again, from the float network", "");
    } else if (!weights.per_channel && weights.spread > kSpread) {
      say(Cause::kWeightSpread,
          fmt::format(
              "the largest weights of '{}' are {:.0f} times those of the median channel, under one scale",
              weights.tensor, weights.spread),
          "one scale per channel, which is the default, or channels of one size", "--improve equalize");
    } else if (layer_.constant_shift > kMostOfIt && !layer_.bias_was_improved) {
      say(Cause::kWeightShift,
          fmt::format("its rounded weights '{}' ({:.1f} dB) move the mean of its channels: {} of the error",
                      weights.tensor, weights.sqnr_db, percent(layer_.constant_shift)),
          "correct the bias", "--improve bias-correction");
    } else {
      say(Cause::kWeightRounding,
          fmt::format("its weights '{}' are rounded too coarsely: {:.1f} dB", weights.tensor,
                      weights.sqnr_db),
          "round them by what they do, or give them more bits", "--improve adaround");
    }
  }

  const LayerMeasurement& layer_;
  Seen seen_;
  const CommandWords& words_;
  std::string recipe_;
  Finding finding_;
};

}  // namespace

std::string_view name_of(Cause cause) {
  switch (cause) {
    case Cause::kClipping:
      return "clipping";
    case Cause::kWideRange:
      return "too wide a range";
    case Cause::kShiftedRange:
      return "shifted range";
    case Cause::kOutliers:
      return "outliers";
    case Cause::kChannelSpread:
      return "channels of different size";
    case Cause::kRounding:
      return "rounding";
    case Cause::kWeightClipping:
      return "clipped weights";
    case Cause::kWeightScale:
      return "scale of the weights";
    case Cause::kWeightSpread:
      return "weights of different size";
    case Cause::kWeightShift:
      return "rounded weights with a mean";
    case Cause::kWeightRounding:
      return "rounded weights";
    case Cause::kBias:
      return "bias";
  }
  return "";
}

std::vector<Finding> verdict(const Measurement& measurement, const CommandWords& words) {
  std::vector<Finding> findings;
  std::vector<Seen> seen(measurement.layers.size());  // per group
  for (const LayerMeasurement& layer : measurement.layers) {
    Seen& all = seen[layer.group];
    all = {std::min(all.low, layer.smallest_seen), std::max(all.high, layer.largest_seen)};
  }
  for (const LayerMeasurement& layer : measurement.layers) {
    if (!layer.only_moves && layer.elements > 0 && std::isfinite(layer.isolated.sqnr_db)) {
      findings.push_back(Examiner(layer, seen[layer.group], words).run());
    }
  }
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return a.is_fault != b.is_fault ? a.is_fault : a.sqnr_db < b.sqnr_db;
  });
  return findings;
}

}  // namespace zeropoint::toolchain
