#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/toolchain/tune.h"

namespace zeropoint::toolchain {

/// What a recipe came to, or why it could not be tried.
struct Trial {
  TuneFigures figures;
  double float_score = 0;
  TuneTarget target = TuneTarget::kTop1;
  std::string error;
};

/// All trials of a search, by recipe and number of samples. Its text is what `tune` keeps and goes on from.
class Trials {
 public:
  explicit Trials(std::string subject) : subject_(std::move(subject)) {}

  /// Takes in what text() gave. kCorrupt for other text, kInvalidArgument for another subject.
  Status load(const std::string& text);
  [[nodiscard]] std::string text() const;

  [[nodiscard]] const Trial* find(const std::string& recipe, std::int64_t samples) const;
  const Trial& add(const std::string& recipe, std::int64_t samples, Trial trial);
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(trials_.size()); }

 private:
  std::string subject_;
  std::map<std::pair<std::string, std::int64_t>, Trial> trials_;
};

}  // namespace zeropoint::toolchain
