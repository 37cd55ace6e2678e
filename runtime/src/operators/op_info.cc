#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <vector>

#include "operators/operators.h"

namespace zeropoint {
namespace {

// The attributes of each operator, and one more, since an array has no fewer. Constants, which take less room
// than code that makes them.
#define ZP_OP(name, domain, since, min_inputs, max_inputs, max_outputs, rule, evaluation, form, ...) \
  constexpr AttributeInfo k##name##Attributes[] = {__VA_ARGS__ __VA_OPT__(, ) AttributeInfo{"", 0}};
#include "zeropoint/ops.inc"

struct Row {
  std::string_view name, domain;
  int since;
  std::size_t min_inputs, max_inputs, max_outputs;
  Evaluation evaluation;
  IntegerForm form;
  std::span<const AttributeInfo> attributes;
};

const std::vector<OpInfo>& table() {
  using enum IntegerForm;
  static constexpr Row kRows[] = {
#define ZP_OP(name, domain, since, min_inputs, max_inputs, max_outputs, rule, evaluation, form, ...) \
  {#name,                                                                                            \
   domain,                                                                                           \
   since,                                                                                            \
   min_inputs,                                                                                       \
   max_inputs,                                                                                       \
   max_outputs,                                                                                      \
   operators::evaluation,                                                                            \
   form,                                                                                             \
   std::span(k##name##Attributes).first(std::size(k##name##Attributes) - 1)},
#include "zeropoint/ops.inc"
  };
  static const std::vector<OpInfo> kOperators = [] {
    std::vector<OpInfo> operators;
    for (const Row& row : kRows) {
      operators.push_back({row.name,
                           row.domain,
                           row.since,
                           row.min_inputs,
                           row.max_inputs,
                           row.max_outputs,
                           row.evaluation,
                           row.form,
                           {row.attributes.begin(), row.attributes.end()}});
    }
    return operators;
  }();
  return kOperators;
}

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

std::span<const OpInfo> all_operators() { return table(); }

const OpInfo& info_of(Op op) { return table()[static_cast<std::size_t>(op)]; }

std::string_view name_of(Op op) { return info_of(op).name; }

std::optional<Op> find_op(std::string_view name, std::string_view domain) {
  static const auto kByName = [] {
    std::map<std::pair<std::string_view, std::string_view>, Op> ops;
    for (std::size_t i = 0; i < table().size(); ++i) {
      ops[{table()[i].name, table()[i].domain}] = static_cast<Op>(i);
    }
    return ops;
  }();
  auto found = kByName.find({name, domain});
  return found == kByName.end() ? std::nullopt : std::optional(found->second);
}

std::int64_t int_attribute(Op op, const Attributes& attributes, std::string_view name) {
  const auto* own = find<std::int64_t>(attributes, name);
  return own != nullptr ? *own : default_value<int>(op, name);
}

float float_attribute(Op op, const Attributes& attributes, std::string_view name) {
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

const Tensor* tensor_attribute(const Attributes& attributes, std::string_view name) {
  const auto* own = find<std::shared_ptr<const Tensor>>(attributes, name);
  return own != nullptr ? own->get() : nullptr;
}

}  // namespace zeropoint
