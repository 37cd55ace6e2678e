#pragma once

// Short ways to apply an operator in a test.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "zeropoint/operator.h"

namespace zeropoint::operators {

using Inputs = std::vector<std::optional<Tensor>>;

inline Result<std::vector<Tensor>> call(Op op, const Inputs& inputs, const Attributes& attributes = {},
                                        std::size_t outputs = 1, std::size_t largest_output = 1U << 20) {
  std::vector<const Tensor*> arguments;
  for (const std::optional<Tensor>& input : inputs) {
    arguments.push_back(input ? &*input : nullptr);
  }
  return evaluate(OperatorCall(op, attributes, arguments, outputs, largest_output));
}

/// The first output; a scalar and a failure of the test where there is none.
inline Tensor first(Op op, const Inputs& inputs, const Attributes& attributes = {}) {
  Result<std::vector<Tensor>> outputs = call(op, inputs, attributes);
  EXPECT_TRUE(outputs.ok()) << name_of(op) << ": " << outputs.status().message();
  return outputs.ok() ? (*outputs)[0] : Tensor();
}

/// What the operator says against its inputs; empty where it computes.
inline std::string refusal(Op op, const Inputs& inputs, const Attributes& attributes = {}) {
  return call(op, inputs, attributes).status().message();
}

template <typename T>
Tensor tensor(Shape shape, std::vector<T> values) {
  return Tensor::of<T>(std::move(shape), values);
}
inline Tensor floats(Shape shape, std::vector<float> values) {
  return tensor(std::move(shape), std::move(values));
}
inline Tensor longs(Shape shape, std::vector<std::int64_t> values) {
  return tensor(std::move(shape), std::move(values));
}
inline Tensor bools(Shape shape, const std::vector<int>& values) {
  Tensor result(ElementType::kBool, std::move(shape));
  for (std::size_t i = 0; i < values.size(); ++i) {
    result.bytes()[i] = static_cast<std::byte>(values[i]);
  }
  return result;
}

template <typename T>
std::vector<T> values_of(const Tensor& tensor) {
  return {tensor.data<T>().begin(), tensor.data<T>().end()};
}

inline void expect_near(const Tensor& tensor, const std::vector<float>& values, float tolerance = 1e-6F) {
  ASSERT_EQ(tensor.type(), ElementType::kFloat32);
  ASSERT_EQ(static_cast<std::size_t>(tensor.size()), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(tensor.data<float>()[i], values[i], tolerance) << "element " << i;
  }
}

}  // namespace zeropoint::operators
