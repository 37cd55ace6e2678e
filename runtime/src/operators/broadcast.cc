// ONNX multidirectional broadcasting: shapes are aligned at their last axis, and an extent of 1 repeats.

#include "operators/broadcast.h"

#include <algorithm>
#include <cstring>

#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// Inputs that repeat one element along a row are written out this many elements at a time.
constexpr std::int64_t kBlock = 256;

/// Where row_form_of() of this thread waits for a kernel.
thread_local RowForm* wanted_form = nullptr;

}  // namespace

/// The axes of `shape`, outermost first, merged as far as the operands allow. At least one.
std::vector<BroadcastWalk::Axis> BroadcastWalk::merged_axes(std::span<const Operand> operands,
                                                            const Shape& shape) {
  std::vector<Axis> inner_first;
  std::vector<std::int64_t> strides;  // per operand, of the axis at hand
  for (const Operand& operand : operands) {
    strides.push_back(static_cast<std::int64_t>(operand.width));
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    Axis axis{shape[shape.size() - 1 - i], {}};
    for (std::size_t k = 0; k < operands.size(); ++k) {
      const Shape& own = operands[k].shape;
      std::int64_t extent = i < own.size() ? own[own.size() - 1 - i] : 1;
      axis.steps.push_back(extent == 1 ? 0 : strides[k]);
      strides[k] *= extent;
    }
    if (axis.extent == 1) {
      continue;
    }
    if (!inner_first.empty()) {
      Axis& inner = inner_first.back();
      bool as_one = true;
      for (std::size_t k = 0; k < operands.size(); ++k) {
        as_one = as_one && axis.steps[k] == inner.steps[k] * inner.extent;
      }
      if (as_one) {
        inner.extent *= axis.extent;
        continue;
      }
    }
    inner_first.push_back(std::move(axis));
  }
  if (inner_first.empty()) {
    inner_first.push_back({1, std::vector<std::int64_t>(operands.size(), 0)});
  }
  return {inner_first.rbegin(), inner_first.rend()};
}

BroadcastWalk::BroadcastWalk(std::span<const Operand> operands, const Operand& result)
    : axes_(merged_axes(operands, result.shape)),
      out_width_(static_cast<std::int64_t>(result.width)),
      position_(axes_.size() - 1),
      at_(operands.size()),
      row_(operands.size()) {
  for (std::size_t k = 0; k < operands.size(); ++k) {
    bool repeats = axes_.back().extent > 1 && axes_.back().steps[k] == 0;
    std::size_t width = operands[k].width;
    repeated_.push_back({width, std::vector<std::byte>(repeats ? width * kBlock : 0), nullptr});
  }
}

const std::byte* BroadcastWalk::written_out(Repeated& repeated, const std::byte* element) {
  if (element != repeated.element) {
    repeated.element = element;
    for (std::size_t i = 0; i < kBlock; ++i) {
      std::memcpy(repeated.bytes.data() + i * repeated.width, element, repeated.width);
    }
  }
  return repeated.bytes.data();
}

void BroadcastWalk::run(std::span<const std::byte* const> inputs, std::byte* output,
                        const RowKernel& kernel) {
  std::copy(inputs.begin(), inputs.end(), at_.begin());
  std::fill(position_.begin(), position_.end(), 0);
  for (Repeated& repeated : repeated_) {
    repeated.element = nullptr;
  }
  out_ = output;
  while (true) {
    run_row(kernel);
    std::size_t axis = position_.size();
    while (axis-- > 0) {
      step(axes_[axis], 1);
      if (++position_[axis] < axes_[axis].extent) {
        break;
      }
      step(axes_[axis], -position_[axis]);
      position_[axis] = 0;
    }
    if (axis == static_cast<std::size_t>(-1)) {
      return;
    }
  }
}

void BroadcastWalk::step(const Axis& axis, std::int64_t count) {
  for (std::size_t k = 0; k < at_.size(); ++k) {
    at_[k] += axis.steps[k] * count;
  }
}

void BroadcastWalk::run_row(const RowKernel& kernel) {
  const Axis& axis = axes_.back();
  bool repeats = axis.extent > 1 && std::ranges::count(axis.steps, 0) > 0;
  std::int64_t block = repeats ? kBlock : axis.extent;
  for (std::int64_t i = 0; i < axis.extent; i += block) {
    for (std::size_t k = 0; k < at_.size(); ++k) {
      row_[k] =
          repeats && axis.steps[k] == 0 ? written_out(repeated_[k], at_[k]) : at_[k] + axis.steps[k] * i;
    }
    std::int64_t count = std::min(block, axis.extent - i);
    kernel(row_, out_, count);
    out_ += count * out_width_;
  }
}

Result<Shape> broadcast_shapes(const Shape& a, const Shape& b) {
  Shape shape = a;
  if (b.size() > shape.size()) {
    shape.insert(shape.begin(), b.size() - shape.size(), 1);
  }
  for (std::size_t i = 0; i < b.size(); ++i) {
    std::int64_t& extent = shape[shape.size() - b.size() + i];
    if (extent != b[i] && extent != 1 && b[i] != 1) {
      return Status::invalid_argument("shapes ", a, " and ", b, " cannot be broadcast to each other");
    }
    extent = extent == 1 ? b[i] : extent;
  }
  return shape;
}

Result<Shape> broadcast_shape(const OperatorCall& call) {
  Shape shape = call.input(0).shape();
  for (std::size_t k = 1; k < call.input_count(); ++k) {
    ZP_ASSIGN_OR_RETURN(shape, broadcast_shapes(shape, call.input(k).shape()));
  }
  return shape;
}

Result<ElementType> common_type(const OperatorCall& call) {
  ElementType type = call.input(0).type();
  for (std::size_t i = 1; i < call.input_count(); ++i) {
    if (!call.has(i) || call.input(i).type() != type) {
      return Status::invalid_argument("its inputs must all be there and of one type");
    }
  }
  if (type == ElementType::kInt4 || type == ElementType::kUint4) {
    return Status::unsupported("it is not computed on ", name_of(type));
  }
  return type;
}

void broadcast_rows(std::span<const Tensor* const> inputs, Tensor& output, const RowKernel& kernel) {
  if (output.size() == 0) {
    return;
  }
  std::vector<BroadcastWalk::Operand> operands;
  std::vector<const std::byte*> memory;
  for (const Tensor* input : inputs) {
    operands.push_back({input->shape(), size_of(input->type())});
    memory.push_back(input->bytes());
  }
  BroadcastWalk(operands, {output.shape(), size_of(output.type())}).run(memory, output.bytes(), kernel);
}

Result<RowForm> row_form_of(const OperatorCall& call) {
  RowForm form;
  wanted_form = &form;
  Result<std::vector<Tensor>> made = evaluate(call);
  wanted_form = nullptr;
  ZP_RETURN_IF_ERROR(made.status());
  if (!form.kernel) {
    return Status::unsupported(name_of(call.op()), " is not computed row by row");
  }
  return form;
}

Result<std::vector<Tensor>> broadcast(const OperatorCall& call, ElementType type, RowKernel kernel) {
  if (wanted_form != nullptr) {
    *wanted_form = {std::move(kernel), call.input_count()};
    return std::vector<Tensor>();
  }
  ZP_ASSIGN_OR_RETURN(Shape shape, broadcast_shape(call));
  ZP_ASSIGN_OR_RETURN(Tensor output, call.make_output(type, std::move(shape)));
  std::vector<const Tensor*> inputs;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    inputs.push_back(&call.input(i));
  }
  broadcast_rows(inputs, output, kernel);
  return one(std::move(output));
}

Result<std::vector<Tensor>> map_elements(const OperatorCall& call, ElementType type, RowKernel kernel) {
  if (wanted_form != nullptr) {
    *wanted_form = {std::move(kernel), 1};
    return std::vector<Tensor>();
  }
  const Tensor& x = call.input(0);
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(type, x.shape()));
  const std::byte* inputs[] = {x.bytes()};
  kernel(inputs, y.bytes(), x.size());
  return one(std::move(y));
}

}  // namespace zeropoint::operators
