#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "zeropoint/operator.h"

namespace zeropoint::operators {

/// Computes `count` elements from as many of each input, all contiguous: the inner loop of an elementwise
/// operator.
using RowKernel =
    std::function<void(std::span<const std::byte* const> inputs, std::byte* output, std::int64_t count)>;

/// The inner loop of an elementwise operator.
struct RowForm {
  RowKernel kernel;
  std::size_t inputs = 0;  ///< the first ones of the call, which it reads
};

/// The inner loop of a call that broadcast() or map_elements() computes; errors are those of its evaluation.
/// It depends on the types of the inputs alone, so that scalars can stand for them, but for bounds and the
/// like, whose elements are read.
Result<RowForm> row_form_of(const OperatorCall& call);

/// The shape to which ONNX's multidirectional broadcasting brings tensors of shapes a and b; kInvalidArgument
/// where they do not fit each other.
Result<Shape> broadcast_shapes(const Shape& a, const Shape& b);

/// The same for all inputs of the call.
Result<Shape> broadcast_shape(const OperatorCall& call);

/// The one type of all inputs of the call; kInvalidArgument where they differ, kUnsupported for elements of 4
/// bits, which are stored and moved but not computed with.
Result<ElementType> common_type(const OperatorCall& call);

/// The call's inputs broadcast to an output of `type`, row by row through `kernel`. Within row_form_of() the
/// kernel is given away instead.
Result<std::vector<Tensor>> broadcast(const OperatorCall& call, ElementType type, RowKernel kernel);

/// The first input's elements one by one to an output of `type`.
Result<std::vector<Tensor>> map_elements(const OperatorCall& call, ElementType type, RowKernel kernel);

/// The walk over tensors that are broadcast to each other, row by row, decided once for their shapes.
class BroadcastWalk {
 public:
  struct Operand {
    Shape shape;
    std::size_t width;  ///< bytes of an element
  };
  /// `result` is the shape that all operands broadcast to, and not empty.
  BroadcastWalk(std::span<const Operand> operands, const Operand& result);

  /// Allocates nothing, but is for one thread at a time.
  void run(std::span<const std::byte* const> inputs, std::byte* output, const RowKernel& kernel);

 private:
  /// One axis of the result, or several that all operands walk as one.
  struct Axis {
    std::int64_t extent;
    std::vector<std::int64_t> steps;  // per operand, in bytes; 0 where it repeats
  };
  /// An element written out many times.
  struct Repeated {
    std::size_t width;
    std::vector<std::byte> bytes;
    const std::byte* element;
  };

  static std::vector<Axis> merged_axes(std::span<const Operand> operands, const Shape& shape);
  static const std::byte* written_out(Repeated& repeated, const std::byte* element);
  void step(const Axis& axis, std::int64_t count);
  void run_row(const RowKernel& kernel);

  std::vector<Axis> axes_;
  std::int64_t out_width_;
  std::vector<std::int64_t> position_;
  std::vector<const std::byte*> at_;  // per operand, where the row begins
  std::byte* out_ = nullptr;
  std::vector<Repeated> repeated_;
  std::vector<const std::byte*> row_;
};

/// The same over any inputs that broadcast to the shape of `output`.
void broadcast_rows(std::span<const Tensor* const> inputs, Tensor& output, const RowKernel& kernel);

/// The RowKernel of a function of one element.
template <typename T, typename Out, typename Function>
RowKernel unary_row(Function function) {
  return [function](std::span<const std::byte* const> inputs, std::byte* output, std::int64_t count) {
    const T* in = reinterpret_cast<const T*>(inputs[0]);
    Out* out = reinterpret_cast<Out*>(output);
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = static_cast<Out>(function(in[i]));
    }
  };
}

/// The RowKernel of a stateless Function over two inputs of type T.
template <typename T, typename Out, typename Function>
void binary_row(std::span<const std::byte* const> inputs, std::byte* output, std::int64_t count) {
  const T* a = reinterpret_cast<const T*>(inputs[0]);
  const T* b = reinterpret_cast<const T*>(inputs[1]);
  Out* out = reinterpret_cast<Out*>(output);
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<Out>(Function()(a[i], b[i]));
  }
}

}  // namespace zeropoint::operators
