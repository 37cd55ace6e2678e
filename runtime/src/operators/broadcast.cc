// ONNX multidirectional broadcasting: shapes are aligned at their last axis, and an extent of 1 repeats.

#include "operators/broadcast.h"

#include <algorithm>
#include <cstring>

#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// Inputs that repeat one element along a row are written out this many elements at a time.
constexpr std::int64_t kBlock = 256;

/// One axis of the output, or several that all inputs walk as one.
struct Axis {
  std::int64_t extent;
  std::vector<std::int64_t> steps;  // per input, in bytes; 0 where it repeats
};

/// The axes of `shape`, outermost first, merged as far as the inputs allow. At least one.
std::vector<Axis> merged_axes(std::span<const Tensor* const> inputs, const Shape& shape) {
  std::vector<Axis> inner_first;
  std::vector<std::int64_t> strides;  // per input, of the axis at hand
  for (const Tensor* input : inputs) {
    strides.push_back(static_cast<std::int64_t>(size_of(input->type())));
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    Axis axis{shape[shape.size() - 1 - i], {}};
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const Shape& own = inputs[k]->shape();
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
      for (std::size_t k = 0; k < inputs.size(); ++k) {
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
    inner_first.push_back({1, std::vector<std::int64_t>(inputs.size(), 0)});
  }
  return {inner_first.rbegin(), inner_first.rend()};
}

/// An element written out kBlock times.
class Repeated {
 public:
  explicit Repeated(std::size_t width) : width_(width), bytes_(width * kBlock) {}

  const std::byte* of(const std::byte* element) {
    if (element != element_) {
      element_ = element;
      for (std::size_t i = 0; i < kBlock; ++i) {
        std::memcpy(bytes_.data() + i * width_, element, width_);
      }
    }
    return bytes_.data();
  }

 private:
  std::size_t width_;
  std::vector<std::byte> bytes_;
  const std::byte* element_ = nullptr;
};

/// Walks the rows of the output.
class Rows {
 public:
  Rows(std::span<const Tensor* const> inputs, Tensor& output, RowKernel kernel)
      : axes_(merged_axes(inputs, output.shape())),
        kernel_(kernel),
        out_(output.bytes()),
        out_width_(static_cast<std::int64_t>(size_of(output.type()))) {
    for (const Tensor* input : inputs) {
      at_.push_back(input->bytes());
      repeated_.emplace_back(size_of(input->type()));
    }
    row_.resize(at_.size());
  }

  void run() {
    std::vector<std::int64_t> position(axes_.size() - 1, 0);
    while (true) {
      run_row();
      std::size_t axis = position.size();
      while (axis-- > 0) {
        step(axes_[axis], 1);
        if (++position[axis] < axes_[axis].extent) {
          break;
        }
        step(axes_[axis], -position[axis]);
        position[axis] = 0;
      }
      if (axis == static_cast<std::size_t>(-1)) {
        return;
      }
    }
  }

 private:
  void step(const Axis& axis, std::int64_t count) {
    for (std::size_t k = 0; k < at_.size(); ++k) {
      at_[k] += axis.steps[k] * count;
    }
  }

  void run_row() {
    const Axis& axis = axes_.back();
    bool repeats = axis.extent > 1 && std::count(axis.steps.begin(), axis.steps.end(), 0) > 0;
    std::int64_t block = repeats ? kBlock : axis.extent;
    for (std::int64_t i = 0; i < axis.extent; i += block) {
      for (std::size_t k = 0; k < at_.size(); ++k) {
        row_[k] = repeats && axis.steps[k] == 0 ? repeated_[k].of(at_[k]) : at_[k] + axis.steps[k] * i;
      }
      std::int64_t count = std::min(block, axis.extent - i);
      kernel_(row_, out_, count);
      out_ += count * out_width_;
    }
  }

  std::vector<Axis> axes_;
  RowKernel kernel_;
  std::byte* out_;
  std::int64_t out_width_;
  std::vector<const std::byte*> at_;  // per input, where the row begins
  std::vector<Repeated> repeated_;
  std::vector<const std::byte*> row_;
};

}  // namespace

Result<Shape> broadcast_shapes(const Shape& a, const Shape& b) {
  Shape shape = a;
  if (b.size() > shape.size()) {
    shape.insert(shape.begin(), b.size() - shape.size(), 1);
  }
  for (std::size_t i = 0; i < b.size(); ++i) {
    std::int64_t& extent = shape[shape.size() - b.size() + i];
    if (extent != b[i] && extent != 1 && b[i] != 1) {
      return Status::invalid_argument("shapes " + to_string(a) + " and " + to_string(b) +
                                      " cannot be broadcast to each other");
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
    return Status::unsupported("it is not computed on " + std::string(name_of(type)));
  }
  return type;
}

void broadcast_rows(std::span<const Tensor* const> inputs, Tensor& output, RowKernel kernel) {
  if (output.size() > 0) {
    Rows(inputs, output, kernel).run();
  }
}

Result<std::vector<Tensor>> broadcast(const OperatorCall& call, ElementType type, RowKernel kernel) {
  ZP_ASSIGN_OR_RETURN(Shape shape, broadcast_shape(call));
  ZP_ASSIGN_OR_RETURN(Tensor output, call.make_output(type, std::move(shape)));
  std::vector<const Tensor*> inputs;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    inputs.push_back(&call.input(i));
  }
  broadcast_rows(inputs, output, kernel);
  return one(std::move(output));
}

}  // namespace zeropoint::operators
