#include "import/pickle_stack.h"

#include <fmt/format.h>

namespace zeropoint::toolchain {

Status PickleStack::push(PickleId id) {
  if (ids_.size() == kMaxPickleObjects) {
    return Status::resource_exhausted(
        fmt::format("the pickle's stack holds more than {} values", kMaxPickleObjects));
  }
  ids_.push_back(id);
  return {};
}

Status PickleStack::push_mark() {
  if (marks_.size() == kMaxPickleMarks) {
    return Status::resource_exhausted(fmt::format("the pickle has more than {} open marks", kMaxPickleMarks));
  }
  marks_.push_back(ids_.size());
  return {};
}

Status PickleStack::need(std::size_t count) const {
  if (reachable() < count) {
    return Status::corrupt(fmt::format("stack underflow: {} values wanted, {} there", count, reachable()));
  }
  return {};
}

std::vector<PickleId> PickleStack::pop(std::size_t count) {
  std::vector<PickleId> values(ids_.end() - static_cast<std::ptrdiff_t>(count), ids_.end());
  ids_.resize(ids_.size() - count);
  return values;
}

Result<std::vector<PickleId>> PickleStack::pop_to_mark() {
  if (marks_.empty()) {
    return Status::corrupt("stack underflow: a mark is wanted, none is there");
  }
  std::vector<PickleId> values = pop(reachable());
  marks_.pop_back();
  return values;
}

Status PickleStack::pop_one() {
  if (reachable() == 0 && !marks_.empty()) {
    marks_.pop_back();
    return {};
  }
  ZP_RETURN_IF_ERROR(need(1));
  ids_.pop_back();
  return {};
}

Status PickleMemo::put(std::uint64_t index, PickleId id) {
  if (index >= kMaxPickleObjects) {
    return Status::corrupt(fmt::format("memo index {} is out of range", index));
  }
  std::size_t i = static_cast<std::size_t>(index);
  if (i >= ids_.size()) {
    ids_.resize(i + 1, kNothing);
  }
  taken_ += ids_[i] == kNothing ? 1 : 0;
  ids_[i] = id;
  return {};
}

Result<PickleId> PickleMemo::get(std::uint64_t index) const {
  if (index >= ids_.size() || ids_[static_cast<std::size_t>(index)] == kNothing) {
    return Status::corrupt(fmt::format("memo index {} is out of range: nothing was put there", index));
  }
  return ids_[static_cast<std::size_t>(index)];
}

}  // namespace zeropoint::toolchain
