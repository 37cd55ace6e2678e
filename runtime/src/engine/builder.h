#pragma once

// Turns the operations of a program into steps, for inputs of given shapes: where each tensor lies and in
// which form, what is computed as one, and which kernel computes it.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/image.h"
#include "engine/infer_shapes.h"
#include "engine/layer_cache.h"
#include "engine/plan_memory.h"
#include "engine/step.h"
#include "zeropoint/cpu.h"
#include "zeropoint/program.h"

namespace zeropoint::engine {

/// What the bytes of a buffer are.
struct Buffer {
  enum class Home : std::uint8_t { kArena, kInput, kOutput, kConstant };
  Home home = Home::kArena;
  std::size_t index = 0;                ///< of the input or output
  const std::byte* constant = nullptr;  ///< of kConstant
  Lifetime lifetime;
};

/// Tensors whose shapes only a run shows, by their ids.
using OpenTensors = std::vector<std::optional<Tensor>>;

/// All that a session needs to run on inputs of one list of shapes.
struct Prepared {
  std::vector<std::unique_ptr<Step>> steps;
  std::vector<Buffer> buffers;
  MemoryPlan memory;
  KnownTensors known;
  std::shared_ptr<OpenTensors> open;
};

/// 8 bits or fewer, kept as uint8 inside; integers of signed types are shifted by 128.
bool is_byte(ElementType type);
std::int32_t shift_of(ElementType type);

class Builder {
 public:
  Builder(const Program& program, KnownTensors known, Isa isa, LayerCache& layers, int threads,
          std::size_t memory_limit);

  /// kResourceExhausted where the arena would be larger than the memory limit.
  Result<Prepared> build();

  // What the rules for the operations ask.
  [[nodiscard]] const Program& program() const { return program_; }
  [[nodiscard]] Isa isa() const { return isa_; }
  [[nodiscard]] LayerCache& layers() { return layers_; }
  [[nodiscard]] std::size_t memory_limit() const { return memory_limit_; }
  /// The most parts of in_parts(count).
  [[nodiscard]] std::int64_t parts_of(std::int64_t count) const {
    return RunContext::parts_of(count, threads_);
  }
  [[nodiscard]] ElementType type(TensorId id) const { return program_.tensor(id).type; }
  [[nodiscard]] bool is_static(TensorId id) const { return known_.shapes[index(id)].has_value(); }
  [[nodiscard]] const Shape& shape(TensorId id) const { return *known_.shapes[index(id)]; }
  [[nodiscard]] const Tensor* constant(TensorId id) const { return known_.constants[index(id)].get(); }
  [[nodiscard]] QuantizedRange range(TensorId id) const { return ranges_[index(id)]; }
  /// The operations that read a tensor; one more where the program gives it out.
  [[nodiscard]] const std::vector<std::size_t>& readers(TensorId id) const { return readers_[index(id)]; }
  /// The operation that makes a tensor, if it is an evaluation.
  [[nodiscard]] const EvaluateOp* maker(TensorId id) const {
    const Operation* operation = makers_[index(id)];
    return operation == nullptr ? nullptr : std::get_if<EvaluateOp>(operation);
  }
  [[nodiscard]] bool is_output(TensorId id) const { return is_output_[index(id)]; }
  /// Whether a tensor of [N, C, L] or [N, C, H, W] is best kept as an image: convolutions or pools read it.
  [[nodiscard]] bool wants_image(TensorId id, int depth = 0) const;
  [[nodiscard]] bool is_made(TensorId id) const { return made_[index(id)]; }
  [[nodiscard]] bool has_image(TensorId id) const { return values_[index(id)].image.has_value(); }

  // A tensor that was made, in the form that is asked for; a step brings it there where it is not yet.
  Place exact(TensorId id);  ///< as the program has it, in row-major order
  Place plain(TensorId id);  ///< bytes in row-major order
  Image image(TensorId id);  ///< bytes of [N, C, L] or [N, C, H, W]
  /// A tensor of 2 axes that was made from an image [N, C, H, W] by putting C, H and W together, as that
  /// image.
  std::optional<Image> flattened_image(TensorId id);
  /// The same, from a buffer behind which kernels may read further.
  Place padded_plain(TensorId id);
  Image padded_image(TensorId id);
  /// Whether padded_image() of its input has the pads of a convolution over [N, C, L] or [N, C, H, W]; not
  /// where they are so large that no memory could hold them.
  [[nodiscard]] bool has_room_for_pads(const ConvOp& op) const;

  /// Whether a place is in the session's own memory, behind which kernels may read further.
  [[nodiscard]] bool is_in_arena(Place place) const {
    return buffers_[static_cast<std::size_t>(place.buffer)].home == Buffer::Home::kArena;
  }

  // Room for a tensor that a step will make.
  Place new_exact(TensorId id);
  Place new_plain(TensorId id);
  Image new_image(TensorId id);
  Place new_scratch(std::int64_t bytes);
  /// A tensor of the program's operations, which outlives the session's steps.
  Place constant_place(const Tensor& constant) {
    return {add_buffer({Buffer::Home::kConstant, 0, constant.bytes(), {}}), 0};
  }
  /// Gives a tensor the elements of another, in the same order.
  void alias(TensorId id, TensorId source);
  /// Declares that a tensor is made by an operation that comes before its own.
  void mark_made(TensorId id) { made_[index(id)] = true; }

  /// Appends a step that reads and writes the places.
  void add(std::unique_ptr<Step> step, const std::vector<Place>& places);

  std::shared_ptr<OpenTensors> open() { return open_; }
  /// Runs the operation by the reference's functions.
  void add_reference(const Operation& operation);

 private:
  struct Value {
    std::optional<Place> exact;
    std::optional<Place> plain;
    std::optional<Image> image;
    std::optional<Image> flattened;
  };

  static std::size_t index(TensorId id) { return static_cast<std::size_t>(id); }
  Value& value(TensorId id) { return values_[index(id)]; }
  [[nodiscard]] std::int64_t bytes(TensorId id) const;
  BufferId add_buffer(Buffer buffer);
  void touch(Place place);
  Image image_shape(TensorId id) const;
  Image dense_image(TensorId id, Place place) const;
  Halo wanted_halo(TensorId id) const;
  std::optional<Image> slice_of_concat(TensorId id);
  Status build_operation(std::size_t i);
  void give_out();

  const Program& program_;
  KnownTensors known_;
  Isa isa_;
  LayerCache& layers_;
  int threads_;
  std::size_t memory_limit_;
  std::vector<QuantizedRange> ranges_;
  std::vector<std::vector<std::size_t>> readers_;
  std::vector<const Operation*> makers_;
  std::vector<bool> is_output_;
  std::vector<bool> made_;
  std::vector<Value> values_;
  std::vector<Buffer> buffers_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::shared_ptr<OpenTensors> open_;
};

/// Adds the steps of operation `i`. One function per family of operations, each in the file
/// build_<family>.cc; false: there is no quick way for this one.
bool build_conv(Builder& builder, std::size_t i, const ConvOp& op);
bool build_depthwise(Builder& builder, std::size_t i, const ConvOp& op);
bool build_pooled_conv(Builder& builder, std::size_t i, const ConvOp& op);
bool build_transposed_conv(Builder& builder, std::size_t i, const ConvOp& op);
bool build_fully_connected(Builder& builder, std::size_t i, const FullyConnectedOp& op);
bool build_quantize(Builder& builder, const QuantizeOp& op);
bool build_dequantize(Builder& builder, const DequantizeOp& op);
bool build_add(Builder& builder, const AddOp& op);
bool build_broadcast_add(Builder& builder, const AddOp& op);
bool build_table(Builder& builder, const TableOp& op);
bool build_channel_table(Builder& builder, const TableOp& op);
bool build_arithmetic(Builder& builder, const ArithmeticOp& op);
bool build_average_pool(Builder& builder, const AveragePoolOp& op);
bool build_reduce(Builder& builder, const ReduceOp& op);
bool build_softmax(Builder& builder, const SoftmaxOp& op);
bool build_normalize(Builder& builder, const NormalizeOp& op);
bool build_mat_mul(Builder& builder, const MatMulOp& op);
bool build_max_pool(Builder& builder, const EvaluateOp& op);
bool build_move(Builder& builder, const EvaluateOp& op);
bool build_transpose(Builder& builder, const EvaluateOp& op);
bool build_float_conv(Builder& builder, const EvaluateOp& op);
bool build_float_mat_mul(Builder& builder, std::size_t i, const EvaluateOp& op);
bool build_float_gemm(Builder& builder, std::size_t i, const EvaluateOp& op);
bool build_wide_quantize(Builder& builder, const QuantizeOp& op);
bool build_wide_dequantize(Builder& builder, const DequantizeOp& op);
bool build_wide_table(Builder& builder, const TableOp& op);
bool build_wide_linear(Builder& builder, const FullyConnectedOp& op);
bool build_wide_mat_mul(Builder& builder, const MatMulOp& op);
bool build_wide_softmax(Builder& builder, const SoftmaxOp& op);
bool build_wide_arithmetic(Builder& builder, const ArithmeticOp& op);
bool build_dynamic_quantize(Builder& builder, const EvaluateOp& op);
bool build_mat_mul_integer(Builder& builder, std::size_t i, const EvaluateOp& op);
bool build_float_softmax(Builder& builder, const EvaluateOp& op);
bool build_float_layer_normalize(Builder& builder, const EvaluateOp& op);
bool build_float_group_normalize(Builder& builder, const EvaluateOp& op);
bool build_float_batch_normalize(Builder& builder, const EvaluateOp& op);
bool build_float_pool(Builder& builder, const EvaluateOp& op);
bool build_float_global_mean(Builder& builder, const EvaluateOp& op);
bool build_broadcast(Builder& builder, const EvaluateOp& op);
/// Whether an operator has an inner loop (operators::row_form_of()).
bool is_elementwise(Op op);
bool build_gather(Builder& builder, const EvaluateOp& op);
bool build_evaluate(Builder& builder, std::size_t i, const EvaluateOp& op);

}  // namespace zeropoint::engine
