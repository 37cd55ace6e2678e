#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/toolchain/measure.h"

namespace zeropoint::toolchain {

/// Why a layer loses what it loses.
enum class Cause : std::uint8_t {
  kClipping,        ///< its values lie beyond the range
  kWideRange,       ///< the range is wider than its values ever get
  kShiftedRange,    ///< the range leaves steps idle at one end and cuts values off at the other
  kOutliers,        ///< few values set the range of many
  kChannelSpread,   ///< channels differ in size, and the small ones have few steps
  kRounding,        ///< the steps are as they should be, and too few
  kWeightClipping,  ///< weights lie beyond the range of their integers
  kWeightScale,     ///< a scale of the weights is wider than any of them
  kWeightSpread,    ///< output channels differ in size under one scale
  kWeightShift,     ///< rounded weights move the mean of channels
  kWeightRounding,  ///< too few steps for the weights
  kBias,            ///< the bias is another than that of the float network
};

/// "clipping", "wide range", ...
std::string_view name_of(Cause cause);

/// One layer that loses something: where, how much, why, and what helps.
struct Finding {
  std::string tensor;
  std::string node;
  std::string op;
  Cause cause = Cause::kRounding;
  /// The numbers are not those of this network and data: something went wrong, where all else is what so many
  /// bits cost.
  bool is_fault = false;
  double sqnr_db = 0;   ///< isolated
  std::string why;      ///< a sentence with its figures
  std::string cure;     ///< a sentence
  std::string command;  ///< that applies the cure
};

/// How commands are to be written.
struct CommandWords {
  std::string model = "MODEL.onnx";  ///< the float network
  std::string output = "BETTER.onnx";
  std::string data;  ///< the options that name the data: "--data FOLDER"
};

/// The layers of a measurement, the one that loses most first: those whose own loss, all else in float,
/// leaves the lowest ratio. What only moves integers and what loses nothing is left out.
std::vector<Finding> verdict(const Measurement& measurement, const CommandWords& words = {});

}  // namespace zeropoint::toolchain
