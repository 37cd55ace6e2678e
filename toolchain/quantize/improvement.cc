#include "quantize/improvement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "quantize/improve/registered.h"
#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::toolchain {

std::span<const Improvement> improvements() {
  static constexpr Improvement kAll[] = {
      {"equalize", "weights of neighbouring layers brought to like ranges", false, improve_by_equalization,
       nullptr},
      {"absorb-bias", "what a channel is always above moved into the next bias", false,
       improve_by_bias_absorption, nullptr},
      {"smooth-quant", "channels of matrix products brought to like ranges", true, improve_by_smoothing,
       nullptr},
      {"mse-weights", "weight scales of least squared error", false, nullptr, improve_by_weight_scales, true},
      {"gptq", "rounding errors made up for by the weights that follow", true, nullptr, improve_by_gptq},
      {"adaround", "weights rounded to the side that is best for the result", true, nullptr,
       improve_by_adaround},
      {"bias-correction-analytic", "biases take back the mean error of the weights", false, nullptr,
       improve_by_analytic_bias_correction, true},
      {"bias-correction", "biases take back the mean error of each output, measured", true, nullptr,
       improve_by_bias_correction, true},
  };
  return kAll;
}

Result<std::vector<const Improvement*>> improvements_of(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  std::vector<const Improvement*> found;
  for (const Improvement& improvement : improvements()) {
    known.emplace_back(improvement.name);
    if (std::find(names.begin(), names.end(), improvement.name) != names.end()) {
      found.push_back(&improvement);
    }
  }
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string guess = nearest(name, known);
      return Status::invalid_argument(fmt::format("there is no improvement '{}'; {}", name,
                                                  guess.empty()
                                                      ? fmt::format("there are: {}", fmt::join(known, ", "))
                                                      : fmt::format("did you mean '{}'?", guess)));
    }
  }
  return found;
}

}  // namespace zeropoint::toolchain
