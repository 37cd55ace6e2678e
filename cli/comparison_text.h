#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "zeropoint/toolchain/measure.h"
#include "zeropoint/toolchain/verdict.h"

namespace zeropoint::cli {

/// What `compare` says about two models.
struct ComparisonReport {
  std::string reference;
  std::string quantized;
  bool is_text = false;  ///< the samples are windows of tokens
  toolchain::Measurement measurement;
  std::vector<toolchain::Finding> findings;
};

struct ComparisonTextOptions {
  std::size_t findings = 5;  ///< how many are spelled out
  bool moved = false;        ///< also tensors whose integers are only moved
};

std::string to_text(const ComparisonReport& report, const ComparisonTextOptions& options);
nlohmann::ordered_json to_json(const ComparisonReport& report);

}  // namespace zeropoint::cli
