#include "graph/op_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "graph/shape_rules.h"

namespace zeropoint::toolchain {
namespace {

const auto& table() {
  static const std::array kTable{
#define ZP_OP(name, domain, min_inputs, max_inputs, rule, ...) \
  OpInfo{#name, domain, min_inputs, max_inputs, rule##_shape, {__VA_ARGS__}},
#include "zeropoint/toolchain/ops.inc"
  };
  return kTable;
}

template <typename T>
const T* own_value(const Node& node, std::string_view name) {
  auto found = node.attributes.find(std::string(name));
  return found == node.attributes.end() ? nullptr : std::get_if<T>(&found->second);
}

/// The default that ops.inc gives an attribute, which must be of kind T there.
template <typename T>
T default_value(const Node& node, std::string_view name) {
  const AttributeInfo* info = info_of(node.op).find_attribute(name);
  const T* value = info == nullptr ? nullptr : std::get_if<T>(&info->kind_or_default);
  return value == nullptr ? T{} : *value;
}

}  // namespace

AttributeKind AttributeInfo::kind() const {
  switch (kind_or_default.index()) {
    case 0:
      return std::get<AttributeKind>(kind_or_default);
    case 1:
      return AttributeKind::kInt;
    case 2:
      return AttributeKind::kFloat;
    default:
      return AttributeKind::kString;
  }
}

const AttributeInfo* OpInfo::find_attribute(std::string_view attribute) const {
  auto found = std::find_if(attributes.begin(), attributes.end(),
                            [&](const AttributeInfo& info) { return info.name == attribute; });
  return found == attributes.end() ? nullptr : &*found;
}

const OpInfo& info_of(Op op) { return table()[static_cast<std::size_t>(op)]; }

std::string_view name_of(Op op) { return info_of(op).name; }

std::optional<Op> find_op(std::string_view name, std::string_view domain) {
  const auto& ops = table();
  auto found = std::find_if(ops.begin(), ops.end(),
                            [&](const OpInfo& info) { return info.name == name && info.domain == domain; });
  if (found == ops.end()) {
    return std::nullopt;
  }
  return static_cast<Op>(found - ops.begin());
}

std::string describe(const Node& node) { return fmt::format("{} '{}'", name_of(node.op), node.name); }

std::int64_t int_attribute(const Node& node, std::string_view name) {
  const auto* own = own_value<std::int64_t>(node, name);
  return own != nullptr ? *own : default_value<int>(node, name);
}

float float_attribute(const Node& node, std::string_view name) {
  const auto* own = own_value<float>(node, name);
  return own != nullptr ? *own : default_value<float>(node, name);
}

std::string string_attribute(const Node& node, std::string_view name) {
  const auto* own = own_value<std::string>(node, name);
  return own != nullptr ? *own : std::string(default_value<std::string_view>(node, name));
}

std::vector<std::int64_t> ints_attribute(const Node& node, std::string_view name) {
  const auto* own = own_value<std::vector<std::int64_t>>(node, name);
  return own != nullptr ? *own : std::vector<std::int64_t>{};
}

}  // namespace zeropoint::toolchain
