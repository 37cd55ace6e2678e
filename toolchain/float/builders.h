#pragma once

#include <memory>
#include <span>
#include <vector>

#include "float/plan.h"

namespace zeropoint::toolchain {

/// What the preparation of a node sees of the plan. Inputs and outputs are numbered as in the node.
class StepBuilder {
 public:
  StepBuilder(Plan& plan, std::size_t node) : plan_(plan), index_(node) {}

  [[nodiscard]] const Node& node() const { return plan_.network_.graph.nodes[index_]; }
  [[nodiscard]] const dnnl::engine& engine() const { return plan_.network_.engine; }
  [[nodiscard]] const dnnl::stream& stream() const { return plan_.network_.stream; }
  [[nodiscard]] bool training() const { return plan_.network_.training; }

  [[nodiscard]] bool has_input(std::size_t i) const { return node().has_input(i); }
  [[nodiscard]] bool has_output(std::size_t i) const { return node().outputs[i] != kNoValue; }
  /// True when all inputs and outputs that are there are float32.
  [[nodiscard]] bool is_float32() const;
  [[nodiscard]] const Shape& shape(std::size_t i) const { return plan_.shape(node().inputs[i]); }
  [[nodiscard]] ElementType type(std::size_t i) const { return value(i).type; }
  /// The tensor behind an input that never changes, or nullptr.
  [[nodiscard]] const Tensor* constant(std::size_t i) const;
  [[nodiscard]] const Shape& output_shape(std::size_t i = 0) const { return plan_.shape(node().outputs[i]); }
  [[nodiscard]] ElementType output_type(std::size_t i = 0) const {
    return plan_.network_.graph.value(node().outputs[i]).type;
  }

  /// The layout in which a float32 input was made.
  [[nodiscard]] MemoryDesc layout(std::size_t i) const { return plan_.forms(node().inputs[i])[0].desc; }
  /// A float32 input in layout `want`, reordered before this step where it is in another.
  dnnl::memory input(std::size_t i, const MemoryDesc& want) { return input(i, want, MemoryDesc()); }
  /// The same for an input whose row-major elements are to be read as `read_as`, such as the weights of a
  /// grouped convolution.
  dnnl::memory input(std::size_t i, const MemoryDesc& want, const MemoryDesc& read_as);
  dnnl::memory plain_input(std::size_t i) { return input(i, plain_desc(shape(i))); }
  /// Memory for the float32 output in that layout.
  dnnl::memory output(const MemoryDesc& desc);
  dnnl::memory plain_output() { return output(plain_desc(output_shape())); }

  /// The row-major elements of an input of any type, and memory for those of an output.
  const std::byte* plain_bytes(std::size_t i);
  std::byte* output_bytes(std::size_t i = 0);

  /// The output is the row-major input `i` under another shape: no work.
  void forward_input(std::size_t i);
  /// The output is input `i` as it is, shape and layout: no work.
  void share_input(std::size_t i);

  /// Whether nothing else needs what a layer made of input `i`: the step can work in place and share it.
  [[nodiscard]] bool may_overwrite_input(std::size_t i) const;

 private:
  [[nodiscard]] const Value& value(std::size_t i) const {
    return plan_.network_.graph.value(node().inputs[i]);
  }
  static std::size_t count_of(const Shape& shape) { return static_cast<std::size_t>(*element_count(shape)); }

  Plan& plan_;
  std::size_t index_;
};

/// What the preparation of a node's gradient sees. Memory of the forward pass is still there.
class GradientBuilder {
 public:
  GradientBuilder(Plan& plan, std::size_t node) : plan_(plan), index_(node) {}

  [[nodiscard]] const Node& node() const { return plan_.network_.graph.nodes[index_]; }
  [[nodiscard]] const dnnl::engine& engine() const { return plan_.network_.engine; }
  [[nodiscard]] const dnnl::stream& stream() const { return plan_.network_.stream; }
  [[nodiscard]] const Shape& shape(std::size_t i) const { return plan_.shape(node().inputs[i]); }

  /// Whether the gradient of that input is asked for.
  [[nodiscard]] bool wanted(std::size_t i) const;
  /// The layout in which the gradient of the output was made.
  [[nodiscard]] MemoryDesc output_gradient_layout() const { return plan_.gradient(node().outputs[0])->desc; }
  /// The gradient of the output in layout `want`.
  dnnl::memory output_gradient(const MemoryDesc& want);
  /// An input of the forward pass.
  dnnl::memory input(std::size_t i, const MemoryDesc& want, const MemoryDesc& read_as = MemoryDesc());
  /// Memory to which the step must write the gradient of input `i`; gradients from several readers of a value
  /// are summed outside. `read_as` as in StepBuilder::input.
  dnnl::memory input_gradient(std::size_t i, const MemoryDesc& desc,
                              const MemoryDesc& read_as = MemoryDesc());
  /// The same, in place of the gradient of the output where that is possible: nothing reads it after this
  /// step.
  dnnl::memory input_gradient_over(std::size_t i, const dnnl::memory& output_gradient);
  /// The gradient of input `i` is the row-major gradient of the output.
  void forward_gradient(std::size_t i);

 private:
  friend class Plan;
  /// Steps to run after the one being prepared: sums, and gradients of parameters into row-major form.
  std::vector<std::unique_ptr<Step>> after_;
  void add_reorder(const dnnl::memory& from, const dnnl::memory& to, bool accumulate,
                   std::vector<std::unique_ptr<Step>>& steps);

  Plan& plan_;
  std::size_t index_;
};

}  // namespace zeropoint::toolchain
