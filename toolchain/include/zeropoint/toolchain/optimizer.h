#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/parameter.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::toolchain {

/// Changes parameters by their gradients, and remembers what its rule needs between steps. Used by one
/// thread.
class Optimizer {
 public:
  Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  virtual ~Optimizer() = default;

  /// "sgd" or "adam"
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// The rule with its settings: "sgd:momentum=0.5,weight_decay=0,dampening=0,nesterov=no"
  [[nodiscard]] virtual std::string text() const = 0;

  /// One step with that learning rate. The parameters must be the same, in the same order, at every step.
  virtual Status step(std::span<Parameter> parameters, double learning_rate) = 0;

  /// What it remembers, as tensors named "<what>.<parameter>"; nothing before the first step.
  [[nodiscard]] virtual StateDict state(std::span<const Parameter> parameters) const = 0;
  /// Continues from what state() gave. kInvalidArgument for a tensor that is missing, unexpected or of
  /// another shape or type; nothing is changed then.
  virtual Status restore(std::span<const Parameter> parameters, const StateDict& state) = 0;
};

/// torch.optim.SGD, with its meaning of momentum: g = gradient + weight_decay p; b = g at the first step,
/// then b = momentum b + (1 - dampening) g; p = p - rate (nesterov ? g + momentum b : b).
struct SgdOptions {
  double momentum = 0;
  double weight_decay = 0;
  double dampening = 0;
  bool nesterov = false;
};
/// kInvalidArgument for negative numbers, and for nesterov without momentum or with dampening.
Result<std::unique_ptr<Optimizer>> make_sgd(SgdOptions options);

/// torch.optim.Adam (Kingma and Ba 2015, algorithm 1; weight decay is added to the gradient):
/// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
/// p = p - rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon).
struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};
/// kInvalidArgument for betas outside of [0, 1) and for negative numbers.
Result<std::unique_ptr<Optimizer>> make_adam(AdamOptions options);

}  // namespace zeropoint::toolchain
