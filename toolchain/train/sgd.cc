#include <fmt/format.h>

#include "train/optimizer_state.h"
#include "zeropoint/toolchain/optimizer.h"

namespace zeropoint::toolchain {
namespace {

class Sgd final : public Optimizer {
 public:
  explicit Sgd(SgdOptions options) : options_(options) {}

  [[nodiscard]] std::string_view name() const override { return "sgd"; }
  [[nodiscard]] std::string text() const override {
    return fmt::format("sgd:momentum={},weight_decay={},dampening={},nesterov={}", options_.momentum,
                       options_.weight_decay, options_.dampening, options_.nesterov ? "yes" : "no");
  }

  Status step(std::span<Parameter> parameters, double learning_rate) override {
    bool first = options_.momentum != 0 && momentum_.empty();
    if (first) {
      momentum_.fill(parameters);
    }
    if (options_.momentum != 0) {
      ZP_RETURN_IF_ERROR(momentum_.check(parameters));
    }
    auto rate = static_cast<float>(learning_rate);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      std::span<float> data = parameters[i].data.data<float>();
      std::span<const float> gradient = parameters[i].gradient.data<float>();
      if (options_.momentum == 0) {
        plain_step(data, gradient, rate);
      } else {
        // The first buffer is the gradient itself, whatever the dampening.
        momentum_step(data, gradient, momentum_.of(i), rate,
                      first ? 1.0F : static_cast<float>(1 - options_.dampening));
      }
    }
    return {};
  }

  [[nodiscard]] StateDict state(std::span<const Parameter> parameters) const override {
    StateDict state;
    momentum_.add_to(state, parameters);
    return state;
  }

  Status restore(std::span<const Parameter> parameters, const StateDict& state) override {
    bool has_momentum = options_.momentum != 0 && !state.tensors.empty();
    std::size_t expected = has_momentum ? parameters.size() : 0;
    if (state.tensors.size() > expected) {
      return Status::invalid_argument(
          fmt::format("the optimizer's state has {} tensors; sgd with momentum {} has {}",
                      state.tensors.size(), options_.momentum, expected));
    }
    std::vector<Tensor> tensors;
    if (has_momentum) {
      ZP_ASSIGN_OR_RETURN(tensors, momentum_.find_in(state, parameters));
    }
    momentum_.replace(std::move(tensors));
    return {};
  }

 private:
  void plain_step(std::span<float> data, std::span<const float> gradient, float rate) const {
    auto decay = static_cast<float>(options_.weight_decay);
    for (std::size_t i = 0; i < data.size(); ++i) {
      data[i] -= rate * (gradient[i] + decay * data[i]);
    }
  }

  void momentum_step(std::span<float> data, std::span<const float> gradient, std::span<float> buffer,
                     float rate, float share) const {
    auto decay = static_cast<float>(options_.weight_decay);
    auto momentum = static_cast<float>(options_.momentum);
    float ahead = options_.nesterov ? momentum : 1.0F;
    float own = options_.nesterov ? 1.0F : 0.0F;
    for (std::size_t i = 0; i < data.size(); ++i) {
      float g = gradient[i] + decay * data[i];
      buffer[i] = momentum * buffer[i] + share * g;
      data[i] -= rate * (own * g + ahead * buffer[i]);
    }
  }

  SgdOptions options_;
  Slot momentum_{"momentum"};
};

}  // namespace

Result<std::unique_ptr<Optimizer>> make_sgd(SgdOptions options) {
  if (!(options.momentum >= 0) || !(options.weight_decay >= 0) || !(options.dampening >= 0)) {
    return Status::invalid_argument(
        fmt::format("sgd: momentum {}, weight decay {} and dampening {} must not be negative",
                    options.momentum, options.weight_decay, options.dampening));
  }
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0)) {
    return Status::invalid_argument("sgd: Nesterov's rule needs a momentum and no dampening");
  }
  return std::unique_ptr<Optimizer>(std::make_unique<Sgd>(options));
}

}  // namespace zeropoint::toolchain
