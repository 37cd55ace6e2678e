#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "float/network.h"
#include "float/step.h"
#include "zeropoint/toolchain/float_executor.h"

namespace zeropoint::toolchain {

/// Memory of intermediate values. A buffer is free again when nothing but the store holds it.
class BufferStore {
 public:
  struct Buffer {
    Tensor bytes;
  };
  std::shared_ptr<Buffer> acquire(std::size_t size);

 private:
  std::vector<std::shared_ptr<Buffer>> buffers_;
};

/// A value's elements in one layout.
struct Form {
  MemoryDesc desc;  ///< empty for types other than float32, which are always row-major
  std::byte* data = nullptr;
  std::shared_ptr<BufferStore::Buffer> buffer;  ///< none for constants and parameters
  MemoryDesc read_as;                           ///< how the row-major elements were read to get here
};

/// A network prepared for inputs of certain shapes: the steps in order, and the memory between them. The
/// memory of a value is used again after its last reader, except in training.
class Plan {
 public:
  /// `observed`: every node computes its own output, so that each can be seen. nullptr where a shape is not
  /// known even when those of the inputs are.
  static Result<std::unique_ptr<Plan>> build(Network& network, const std::vector<Shape>& input_shapes,
                                             bool observed);

  [[nodiscard]] const std::vector<Shape>& input_shapes() const { return input_shapes_; }
  [[nodiscard]] bool observed() const { return observed_; }

  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs, const ValueObserver* observer);
  [[nodiscard]] Status check_output_gradients(std::span<const Tensor> gradients) const;
  /// After run(): from the gradient of each output to that of each parameter.
  Status run_backward(std::span<const Tensor> output_gradients);

 private:
  friend class StepBuilder;
  friend class GradientBuilder;

  Plan(Network& network, std::vector<Shape> input_shapes, bool observed);
  /// False where a shape depends on the values of tensors.
  Result<bool> infer();
  Status prepare();
  Status prepare_node(std::size_t index);
  Status prepare_backward();
  void release_inputs_of(const Node& node, std::vector<int>& uses);
  [[nodiscard]] bool may_overwrite(ValueId id) const;
  [[nodiscard]] Status show(ValueId id, const ValueObserver& observer);
  [[nodiscard]] Tensor plain_copy(ValueId id, const Form& form);

  [[nodiscard]] const Shape& shape(ValueId id) const { return shapes_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] std::vector<Form>& forms(ValueId id) { return forms_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] std::optional<Form>& gradient(ValueId id) { return gradients_[static_cast<std::size_t>(id)]; }
  Form& add_form(ValueId id, const MemoryDesc& desc, std::size_t bytes);
  /// The form of `id` in layout `want`; where there is none yet, a step that makes it goes to the end of
  /// `steps`.
  Form form_as(ValueId id, const MemoryDesc& read_as, const MemoryDesc& want,
               std::vector<std::unique_ptr<Step>>& steps);
  [[nodiscard]] dnnl::memory memory_of(const Form& form) const;
  void copy_layout(const dnnl::memory& from, const dnnl::memory& to) const;

  Network& network_;
  std::vector<Shape> input_shapes_;
  bool observed_;
  std::vector<Shape> shapes_;                   // per value, all extents known
  std::vector<std::vector<Form>> forms_;        // per value; the first is as its producer made it
  std::vector<std::optional<Form>> gradients_;  // per value
  std::vector<bool> trainable_;                 // per value: its gradient is wanted
  std::vector<Form> outputs_;                   // per graph output, row-major
  BufferStore store_;
  Tensor shown_;  // the row-major elements of the value that an observer is shown, where they lie otherwise
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<std::unique_ptr<Step>> backward_steps_;
  std::vector<NodeStep*> node_steps_;  // per node
  struct Mark {
    std::size_t steps;  // number of steps after which the value is there
    ValueId value;
  };
  std::vector<Mark> marks_;
  bool backward_ready_ = false;
};

}  // namespace zeropoint::toolchain
