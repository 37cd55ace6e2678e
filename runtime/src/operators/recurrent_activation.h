#pragma once

#include "zeropoint/operator.h"

namespace zeropoint::operators {

/// One of the activation functions that ONNX's LSTM, GRU and RNN know by name.
class RecurrentActivation {
 public:
  /// The functions of each direction: those of the attributes activations, activation_alpha and
  /// activation_beta, or `defaults` for every direction. kInvalidArgument for a wrong number or an unknown
  /// name.
  static Result<std::vector<RecurrentActivation>> of(const OperatorCall& call, std::size_t directions,
                                                     const std::vector<std::string>& defaults);

  /// Applies the function in place.
  template <typename T>
  void apply(T* values, std::int64_t count) const;

 private:
  enum class Kind : std::uint8_t {
    kAffine,
    kElu,
    kHardSigmoid,
    kLeakyRelu,
    kRelu,
    kScaledTanh,
    kSigmoid,
    kSoftplus,
    kSoftsign,
    kTanh,
    kThresholdedRelu,
  };
  /// A function's name, how many of alpha and beta it takes, and their defaults.
  struct Row {
    std::string_view name;
    Kind kind;
    int parameters;
    float alpha;
    float beta;
  };
  static const Row* find(std::string_view name);

  Kind kind_ = Kind::kTanh;
  float alpha_ = 0;
  float beta_ = 0;
};

}  // namespace zeropoint::operators
