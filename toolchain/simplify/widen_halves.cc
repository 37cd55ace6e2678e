// Before: inputs, constants and Casts of float16 or bfloat16
// After:  the same in float32
// A half has a float32 of the same value; what was rounded to a half between two nodes is not any more.

#include "zeropoint/half.h"
#include "zeropoint/toolchain/simplify.h"

namespace zeropoint::toolchain {
namespace {

std::shared_ptr<const Tensor> widened(const Tensor& tensor) {
  return std::make_shared<const Tensor>(widen(tensor));
}

/// Attributes that name a type, or hold a tensor of it.
bool widen_attributes(Node& node) {
  bool changed = false;
  for (auto& [name, attribute] : node.attributes) {
    auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&attribute);
    if (tensor != nullptr && is_half((*tensor)->type())) {
      *tensor = widened(**tensor);
      changed = true;
    }
    auto* number = std::get_if<std::int64_t>(&attribute);
    bool names_type = name == "to" || name == "dtype" || name == "output_dtype";
    std::optional<ElementType> type =
        number != nullptr && names_type ? element_type_of(*number) : std::nullopt;
    if (type && is_half(*type)) {
      *number = static_cast<std::int64_t>(ElementType::kFloat32);
      changed = true;
    }
  }
  return changed;
}

}  // namespace

Result<bool> widen_halves(Graph& graph) {
  bool changed = false;
  for (Value& value : graph.values) {
    if (is_half(value.type)) {
      value.type = ElementType::kFloat32;
      value.constant = value.constant == nullptr ? nullptr : widened(*value.constant);
      changed = true;
    }
  }
  for (Node& node : graph.nodes) {
    changed = widen_attributes(node) || changed;
  }
  if (changed) {
    ZP_RETURN_IF_ERROR(infer_shapes(graph));
  }
  return changed;
}

}  // namespace zeropoint::toolchain
