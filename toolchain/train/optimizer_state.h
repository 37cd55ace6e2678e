#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "zeropoint/toolchain/parameter.h"

namespace zeropoint::toolchain {

/// One float32 tensor per parameter that an optimizer keeps between steps, such as its momentum.
class Slot {
 public:
  /// `what` names the tensors: "momentum.conv1.weight".
  explicit Slot(std::string_view what) : what_(what) {}

  [[nodiscard]] bool empty() const { return tensors_.empty(); }
  /// Zeros for each parameter.
  void fill(std::span<const Parameter> parameters);
  /// kInvalidArgument unless there is one tensor per parameter, of its shape.
  [[nodiscard]] Status check(std::span<const Parameter> parameters) const;
  [[nodiscard]] std::span<float> of(std::size_t parameter) { return tensors_[parameter].data<float>(); }

  void add_to(StateDict& state, std::span<const Parameter> parameters) const;
  /// This slot's tensors in `state`; an error names one that is missing or does not fit.
  [[nodiscard]] Result<std::vector<Tensor>> find_in(const StateDict& state,
                                                    std::span<const Parameter> parameters) const;
  void replace(std::vector<Tensor> tensors) { tensors_ = std::move(tensors); }

 private:
  std::string_view what_;
  std::vector<Tensor> tensors_;
};

}  // namespace zeropoint::toolchain
