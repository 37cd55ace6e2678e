#pragma once

// A program made ready for this machine, to be run many times.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/cpu.h"
#include "zeropoint/program.h"
#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint {

struct SessionOptions {
  /// That compute one run together, the caller's among them; 0: one per core. Their number changes no result.
  int threads = 1;
  /// The instruction set to use; none: see choose_isa().
  std::optional<Isa> isa = std::nullopt;
  /// Measure each step, for profile().
  bool profile = false;
  /// Bytes that the session may take at most: its activations, what it computes of constants, and each tensor
  /// on the way. 0: three quarters of the machine's memory, so that no program, however small its file, gets
  /// more than there is.
  std::size_t memory_limit = 0;
};

/// A step of a session: an operation of the program, or several that are computed as one.
struct StepProfile {
  std::string name;                ///< of the tensor that it makes
  std::string operation;           ///< "Conv 3x3/2 + Add", ...
  std::string kernel;              ///< what computes it, such as "dot_u8s8_s32_6x16_avx512vnni"; "reference"
  bool in_float = false;           ///< computes on reals
  std::int64_t multiply_adds = 0;  ///< of one run
  std::int64_t runs = 0;           ///< that were measured
  std::int64_t nanoseconds = 0;    ///< of all of them together
  std::int64_t least_nanoseconds = 0;  ///< of the quickest: what it takes when nothing disturbs it
};

/// What a session holds, in bytes.
struct SessionMemory {
  std::int64_t activations = 0;        ///< of the arena that all tensors of a run share
  std::int64_t activations_least = 0;  ///< alive at once at some step: no arena can be smaller
  std::int64_t weights = 0;            ///< prepared for the kernels, beside the program's own
  std::int64_t moves = 0;              ///< where elements go that operators rearrange
};

/// A copy of a program that one caller at a time runs. Many sessions can share one program, each in a thread
/// of its own. Movable.
class Session {
 public:
  /// Prepares `program` for the machine. kInvalidArgument for programs that verify() refuses (those that were
  /// loaded have passed it) and a negative number of threads; kUnsupported and kInvalidArgument as
  /// choose_isa().
  static Result<Session> create(std::shared_ptr<const Program> program, SessionOptions options = {});

  Session(Session&& other) noexcept;
  Session& operator=(Session&& other) noexcept;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  [[nodiscard]] const Program& program() const;
  [[nodiscard]] Isa isa() const;
  [[nodiscard]] int threads() const;

  /// Decides the shapes of the next runs, one for each input, and reserves the memory they need.
  /// kInvalidArgument where they do not fit the program or each other, kResourceExhausted where they need
  /// more than SessionOptions::memory_limit; the session then keeps what it was prepared for before. Does
  /// nothing when the shapes are those of the last call.
  Status prepare(std::span<const Shape> input_shapes);

  /// The shape of an output in the next runs; none before prepare(), and where only the values of the inputs
  /// decide it.
  [[nodiscard]] std::optional<Shape> output_shape(std::size_t output) const;

  /// Runs on memory of the caller: for each input and output its elements as they lie in a Tensor, of exactly
  /// the bytes that the prepared shapes need, at addresses aligned to an element; outputs overlap neither
  /// inputs nor each other. Allocates nothing but in steps whose kernel is "reference" (see profile()).
  /// kInvalidArgument when a size or an alignment does not fit, a bool, int4 or uint4 has a byte that its
  /// type does not have, or nothing was prepared; kUnsupported when the values of the inputs decide the shape
  /// of an output.
  Status run(std::span<const std::span<const std::byte>> inputs,
             std::span<const std::span<std::byte>> outputs);

  /// The same on tensors, prepared for their shapes where they are others than before.
  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs);

  /// The steps in their order, measured over all runs since the shapes were last prepared; times are 0 unless
  /// SessionOptions::profile asked for them.
  [[nodiscard]] std::vector<StepProfile> profile() const;
  /// For the shapes that are prepared.
  [[nodiscard]] SessionMemory memory() const;

 private:
  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace zeropoint
