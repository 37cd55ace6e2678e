#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// A node as a model has it: an operator by name, in the form of the model's opset.
struct OnnxNode {
  std::string op;
  std::string domain;  ///< "" for ONNX's own
  std::string name;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Attributes attributes;
  std::int64_t opset = 0;  ///< of its domain

  /// Takes an attribute out of the node; none where it is not there or of another kind.
  template <typename T>
  std::optional<T> take(std::string_view attribute) {
    auto found = attributes.find(attribute);
    const T* value = found == attributes.end() ? nullptr : std::get_if<T>(&found->second);
    std::optional<T> taken = value == nullptr ? std::nullopt : std::optional<T>(*value);
    if (value != nullptr) {
      attributes.erase(found);
    }
    return taken;
  }
  /// Sets input `i`; the ones before it that are not there yet are kNoValue.
  void set_input(std::size_t i, ValueId id) {
    inputs.resize(std::max(inputs.size(), i + 1), kNoValue);
    inputs[i] = id;
  }
};

}  // namespace zeropoint::toolchain
