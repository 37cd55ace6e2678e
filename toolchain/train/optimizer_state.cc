#include "train/optimizer_state.h"

#include <fmt/format.h>

namespace zeropoint::toolchain {

void Slot::fill(std::span<const Parameter> parameters) {
  for (const Parameter& parameter : parameters) {
    tensors_.emplace_back(ElementType::kFloat32, parameter.data.shape());
  }
}

Status Slot::check(std::span<const Parameter> parameters) const {
  bool fits = tensors_.size() == parameters.size();
  for (std::size_t i = 0; fits && i < tensors_.size(); ++i) {
    fits = tensors_[i].shape() == parameters[i].data.shape();
  }
  return fits ? Status()
              : Status::invalid_argument("the optimizer has seen other parameters in earlier steps");
}

void Slot::add_to(StateDict& state, std::span<const Parameter> parameters) const {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    state.tensors.emplace_back(fmt::format("{}.{}", what_, parameters[i].name), tensors_[i]);
  }
}

Result<std::vector<Tensor>> Slot::find_in(const StateDict& state,
                                          std::span<const Parameter> parameters) const {
  std::vector<Tensor> found;
  for (const Parameter& parameter : parameters) {
    std::string name = fmt::format("{}.{}", what_, parameter.name);
    const Tensor* tensor = state.find(name);
    if (tensor == nullptr) {
      return Status::invalid_argument("the optimizer's state lacks " + name);
    }
    if (tensor->type() != ElementType::kFloat32 || tensor->shape() != parameter.data.shape()) {
      return Status::invalid_argument(
          fmt::format("{} is {} {}; float32 {} is needed", name, zeropoint::name_of(tensor->type()),
                      zeropoint::to_string(tensor->shape()), zeropoint::to_string(parameter.data.shape())));
    }
    found.push_back(*tensor);
  }
  return found;
}

}  // namespace zeropoint::toolchain
