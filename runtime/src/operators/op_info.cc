#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "operators/operators.h"

namespace zeropoint {
namespace {

// The attributes of each operator, counted with one more, since an array that says its own extent has no
// fewer. Constants, which take less room than code that makes them.
using Counted = AttributeInfo[];
#define ZP_OP(name, domain, since, min_inputs, max_inputs, max_outputs, rule, evaluation, form, ...)     \
  constexpr std::array<AttributeInfo, sizeof(Counted{__VA_ARGS__ __VA_OPT__(, ) AttributeInfo{"", 0}}) / \
                                              sizeof(AttributeInfo) -                                    \
                                          1>                                                             \
      k##name##Attributes = {{__VA_ARGS__}};
#include "zeropoint/ops.inc"

using enum IntegerForm;
constexpr OpInfo kOperators[] = {
#define ZP_OP(name, domain, since, min_inputs, max_inputs, max_outputs, rule, evaluation, form, ...) \
  {#name,                                                                                            \
   domain,                                                                                           \
   since,                                                                                            \
   min_inputs,                                                                                       \
   max_inputs,                                                                                       \
   max_outputs,                                                                                      \
   operators::evaluation,                                                                            \
   form,                                                                                             \
   k##name##Attributes},
#include "zeropoint/ops.inc"
};

template <typename T>
const T* find(const Attributes& attributes, std::string_view name) {
  auto found = attributes.find(name);
  return found == attributes.end() ? nullptr : std::get_if<T>(&found->second);
}

/// The default that ops.inc gives an attribute, which must be of kind T there.
template <typename T>
T default_value(Op op, std::string_view name) {
  const AttributeInfo* info = info_of(op).find_attribute(name);
  const T* value = info == nullptr ? nullptr : std::get_if<T>(&info->kind_or_default);
  return value == nullptr ? T{} : *value;
}

template <typename T>
std::vector<T> list(const Attributes& attributes, std::string_view name) {
  const auto* own = find<std::vector<T>>(attributes, name);
  return own != nullptr ? *own : std::vector<T>{};
}

}  // namespace

AttributeKind AttributeInfo::kind() const noexcept {
  switch (kind_or_default.index()) {
    case 0:
      return *std::get_if<AttributeKind>(&kind_or_default);
    case 1:
      return AttributeKind::kInt;
    case 2:
      return AttributeKind::kFloat;
    default:
      return AttributeKind::kString;
  }
}

const AttributeInfo* OpInfo::find_attribute(std::string_view attribute) const noexcept {
  auto found =
      std::ranges::find_if(attributes, [&](const AttributeInfo& info) { return info.name == attribute; });
  return found == attributes.end() ? nullptr : &*found;
}

std::span<const OpInfo> all_operators() noexcept { return kOperators; }

const OpInfo& info_of(Op op) noexcept { return kOperators[static_cast<std::size_t>(op)]; }

std::string_view name_of(Op op) noexcept { return info_of(op).name; }

std::optional<Op> find_op(std::string_view name, std::string_view domain) noexcept {
  const auto* found = std::ranges::find_if(
      kOperators, [&](const OpInfo& info) { return info.name == name && info.domain == domain; });
  return found == std::end(kOperators) ? std::nullopt : std::optional(static_cast<Op>(found - kOperators));
}

std::int64_t int_attribute(Op op, const Attributes& attributes, std::string_view name) noexcept {
  const auto* own = find<std::int64_t>(attributes, name);
  return own != nullptr ? *own : default_value<int>(op, name);
}

float float_attribute(Op op, const Attributes& attributes, std::string_view name) noexcept {
  const auto* own = find<float>(attributes, name);
  return own != nullptr ? *own : default_value<float>(op, name);
}

std::string string_attribute(Op op, const Attributes& attributes, std::string_view name) {
  const auto* own = find<std::string>(attributes, name);
  return own != nullptr ? *own : std::string(default_value<std::string_view>(op, name));
}

std::vector<std::int64_t> ints_attribute(const Attributes& attributes, std::string_view name) {
  return list<std::int64_t>(attributes, name);
}

std::vector<float> floats_attribute(const Attributes& attributes, std::string_view name) {
  return list<float>(attributes, name);
}

std::vector<std::string> strings_attribute(const Attributes& attributes, std::string_view name) {
  return list<std::string>(attributes, name);
}

const Tensor* tensor_attribute(const Attributes& attributes, std::string_view name) noexcept {
  const auto* own = find<std::shared_ptr<const Tensor>>(attributes, name);
  return own != nullptr ? own->get() : nullptr;
}

}  // namespace zeropoint
