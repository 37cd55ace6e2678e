#include "operators/recurrent_activation.h"

#include <algorithm>
#include <cmath>

namespace zeropoint::operators {

const RecurrentActivation::Row* RecurrentActivation::find(std::string_view name) {
  static constexpr Row kRows[] = {
      {"Affine", Kind::kAffine, 2, 1.0F, 0.0F},
      {"Elu", Kind::kElu, 1, 1.0F, 0.0F},
      {"HardSigmoid", Kind::kHardSigmoid, 2, 0.2F, 0.5F},
      {"LeakyRelu", Kind::kLeakyRelu, 1, 0.01F, 0.0F},
      {"Relu", Kind::kRelu, 0, 0.0F, 0.0F},
      {"ScaledTanh", Kind::kScaledTanh, 2, 1.0F, 1.0F},
      {"Sigmoid", Kind::kSigmoid, 0, 0.0F, 0.0F},
      {"Softplus", Kind::kSoftplus, 0, 0.0F, 0.0F},
      {"Softsign", Kind::kSoftsign, 0, 0.0F, 0.0F},
      {"Tanh", Kind::kTanh, 0, 0.0F, 0.0F},
      {"ThresholdedRelu", Kind::kThresholdedRelu, 1, 1.0F, 0.0F},
  };
  const auto* found = std::ranges::find_if(kRows, [&](const Row& row) { return row.name == name; });
  return found == std::end(kRows) ? nullptr : found;
}

Result<std::vector<RecurrentActivation>> RecurrentActivation::of(const OperatorCall& call,
                                                                 std::size_t directions,
                                                                 const std::vector<std::string>& defaults) {
  std::vector<std::string> names = strings_attribute(call.attributes(), "activations");
  if (names.empty()) {
    for (std::size_t i = 0; i < directions; ++i) {
      names.insert(names.end(), defaults.begin(), defaults.end());
    }
  }
  if (names.size() != directions * defaults.size()) {
    return Status::invalid_argument("attribute activations names ", names.size(), " functions; ",
                                    directions * defaults.size(), " are needed");
  }
  // The parameters are consumed in order, by the functions that take them.
  std::vector<float> alphas = floats_attribute(call.attributes(), "activation_alpha");
  std::vector<float> betas = floats_attribute(call.attributes(), "activation_beta");
  std::size_t next_alpha = 0;
  std::size_t next_beta = 0;
  std::vector<RecurrentActivation> activations;
  for (const std::string& name : names) {
    const Row* row = find(name);
    if (row == nullptr) {
      return Status::unsupported("activation '", name, "' is not known");
    }
    RecurrentActivation activation;
    activation.kind_ = row->kind;
    activation.alpha_ =
        row->parameters >= 1 && next_alpha < alphas.size() ? alphas[next_alpha++] : row->alpha;
    activation.beta_ = row->parameters >= 2 && next_beta < betas.size() ? betas[next_beta++] : row->beta;
    activations.push_back(activation);
  }
  return activations;
}

template <typename T>
void RecurrentActivation::apply(T* values, std::int64_t count) const {
  auto alpha = static_cast<T>(alpha_);
  auto beta = static_cast<T>(beta_);
  auto map = [&](auto function) { std::transform(values, values + count, values, function); };
  switch (kind_) {
    case Kind::kAffine:
      return map([=](T x) { return alpha * x + beta; });
    case Kind::kElu:
      return map([=](T x) { return x > T{} ? x : alpha * std::expm1(x); });
    case Kind::kHardSigmoid:
      return map([=](T x) { return std::clamp(alpha * x + beta, T{}, T{1}); });
    case Kind::kLeakyRelu:
      return map([=](T x) { return x < T{} ? alpha * x : x; });
    case Kind::kRelu:
      return map([](T x) { return x < T{} ? T{} : x; });
    case Kind::kScaledTanh:
      return map([=](T x) { return alpha * std::tanh(beta * x); });
    case Kind::kSigmoid:
      return map([](T x) { return T{1} / (T{1} + std::exp(-x)); });
    case Kind::kSoftplus:
      return map([](T x) { return std::log1p(std::exp(-std::fabs(x))) + std::max(x, T{}); });
    case Kind::kSoftsign:
      return map([](T x) { return x / (T{1} + std::fabs(x)); });
    case Kind::kTanh:
      return map([](T x) { return std::tanh(x); });
    case Kind::kThresholdedRelu:
      return map([=](T x) { return x > alpha ? x : T{}; });
  }
}

template void RecurrentActivation::apply(float*, std::int64_t) const;
template void RecurrentActivation::apply(double*, std::int64_t) const;

}  // namespace zeropoint::operators
