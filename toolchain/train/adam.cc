#include <fmt/format.h>

#include <cmath>

#include "train/optimizer_state.h"
#include "zeropoint/toolchain/optimizer.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::string_view kStep = "step";

class Adam final : public Optimizer {
 public:
  explicit Adam(AdamOptions options) : options_(options) {}

  [[nodiscard]] std::string_view name() const override { return "adam"; }
  [[nodiscard]] std::string text() const override {
    return fmt::format("adam:beta1={},beta2={},epsilon={},weight_decay={}", options_.beta1, options_.beta2,
                       options_.epsilon, options_.weight_decay);
  }

  Status step(std::span<Parameter> parameters, double learning_rate) override {
    if (first_moment_.empty()) {
      first_moment_.fill(parameters);
      second_moment_.fill(parameters);
    }
    ZP_RETURN_IF_ERROR(first_moment_.check(parameters));
    ++steps_;
    auto t = static_cast<double>(steps_);
    auto rate = static_cast<float>(learning_rate / (1 - std::pow(options_.beta1, t)));
    auto correction = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, t)));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      update(parameters[i].data.data<float>(), parameters[i].gradient.data<float>(), first_moment_.of(i),
             second_moment_.of(i), rate, correction);
    }
    return {};
  }

  [[nodiscard]] StateDict state(std::span<const Parameter> parameters) const override {
    StateDict state;
    if (!first_moment_.empty()) {
      state.tensors.emplace_back(kStep, Tensor::of<std::int64_t>({}, {steps_}));
    }
    first_moment_.add_to(state, parameters);
    second_moment_.add_to(state, parameters);
    return state;
  }

  Status restore(std::span<const Parameter> parameters, const StateDict& state) override {
    if (state.tensors.empty()) {
      first_moment_.replace({});
      second_moment_.replace({});
      steps_ = 0;
      return {};
    }
    const Tensor* steps = state.find(kStep);
    if (steps == nullptr || steps->type() != ElementType::kInt64 || steps->size() != 1 ||
        steps->data<std::int64_t>()[0] < 1) {
      return Status::invalid_argument(
          "the optimizer's state lacks the number of steps, an int64 of 1 or more");
    }
    if (state.tensors.size() != 1 + 2 * parameters.size()) {
      return Status::invalid_argument(fmt::format("the optimizer's state has {} tensors; adam has {}",
                                                  state.tensors.size(), 1 + 2 * parameters.size()));
    }
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> first, first_moment_.find_in(state, parameters));
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> second, second_moment_.find_in(state, parameters));
    first_moment_.replace(std::move(first));
    second_moment_.replace(std::move(second));
    steps_ = steps->data<std::int64_t>()[0];
    return {};
  }

 private:
  void update(std::span<float> data, std::span<const float> gradient, std::span<float> first,
              std::span<float> second, float rate, float correction) const {
    auto beta1 = static_cast<float>(options_.beta1);
    auto beta2 = static_cast<float>(options_.beta2);
    auto rest1 = static_cast<float>(1 - options_.beta1);
    auto rest2 = static_cast<float>(1 - options_.beta2);
    auto epsilon = static_cast<float>(options_.epsilon);
    auto decay = static_cast<float>(options_.weight_decay);
    for (std::size_t i = 0; i < data.size(); ++i) {
      float g = gradient[i] + decay * data[i];
      first[i] = beta1 * first[i] + rest1 * g;
      second[i] = beta2 * second[i] + rest2 * g * g;
      data[i] -= rate * (first[i] / (std::sqrt(second[i]) / correction + epsilon));
    }
  }

  AdamOptions options_;
  Slot first_moment_{"exp_avg"};
  Slot second_moment_{"exp_avg_sq"};
  std::int64_t steps_ = 0;
};

}  // namespace

Result<std::unique_ptr<Optimizer>> make_adam(AdamOptions options) {
  auto is_beta = [](double beta) { return beta >= 0 && beta < 1; };
  if (!is_beta(options.beta1) || !is_beta(options.beta2)) {
    return Status::invalid_argument(
        fmt::format("adam: betas {} and {} must be in [0, 1)", options.beta1, options.beta2));
  }
  if (!(options.epsilon >= 0) || !(options.weight_decay >= 0)) {
    return Status::invalid_argument(fmt::format("adam: epsilon {} and weight decay {} must not be negative",
                                                options.epsilon, options.weight_decay));
  }
  return std::unique_ptr<Optimizer>(std::make_unique<Adam>(options));
}

}  // namespace zeropoint::toolchain
