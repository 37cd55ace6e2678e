#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

enum class AttributeKind : std::uint8_t { kInt, kFloat, kString, kInts, kFloats, kStrings, kTensor };

/// An attribute an operator may carry: its kind, and its default unless it is derived or required.
struct AttributeInfo {
  std::string_view name;
  std::variant<AttributeKind, int, float, std::string_view> kind_or_default;

  constexpr AttributeInfo(std::string_view attribute, AttributeKind kind)
      : name(attribute), kind_or_default(kind) {}
  constexpr AttributeInfo(std::string_view attribute, int value) : name(attribute), kind_or_default(value) {}
  constexpr AttributeInfo(std::string_view attribute, float value)
      : name(attribute), kind_or_default(value) {}
  constexpr AttributeInfo(std::string_view attribute, const char* value)
      : name(attribute), kind_or_default(std::string_view(value)) {}

  [[nodiscard]] AttributeKind kind() const;
};

struct InferenceContext;
using ShapeRule = Status (*)(InferenceContext&);

/// One row of ops.inc.
struct OpInfo {
  std::string_view name;
  std::string_view domain;
  std::size_t min_inputs;
  std::size_t max_inputs;
  ShapeRule shape_rule;
  std::vector<AttributeInfo> attributes;

  [[nodiscard]] const AttributeInfo* find_attribute(std::string_view attribute) const;
};

const OpInfo& info_of(Op op);

/// "Conv 'conv1'": how messages name a node.
std::string describe(const Node& node);

}  // namespace zeropoint::toolchain
