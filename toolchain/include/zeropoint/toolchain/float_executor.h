#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// Sees values while a graph runs, for calibration and comparison.
struct ValueObserver {
  /// Called once per run for each value that is not a constant: first the graph's inputs, then each node's
  /// output as soon as it is there. The tensor is row-major (NCHW) and of the value's own type: float32, or
  /// the integers that a QuantizeLinear makes. It is gone after the call. An error stops the run.
  std::function<Status(ValueId, const Tensor&)> on_value;
  /// The values to call for; empty means all. The others cost nothing.
  std::vector<ValueId> values;
};

struct FloatOptions {
  /// Threads to compute with; 0 takes all that OpenMP offers. The same number gives the same bits.
  int threads = 0;
};

/// Runs a graph in float32. Weights are brought into the layout of the CPU once; what depends on the batch
/// size is prepared at the first run with that size and kept. QuantizeLinear and DequantizeLinear are
/// computed as affine.h says, with integer tensors between them. Movable; one thread at a time may use it.
class FloatExecutor {
 public:
  /// Checks `graph`, infers its shapes and computes all that depends on constants alone. The graph may be
  /// changed or dropped afterwards. kUnsupported names the node with an operator that cannot run here;
  /// otherwise the errors of verify() and infer_shapes().
  static Result<FloatExecutor> create(const Graph& graph, FloatOptions options = {});

  /// One more of the same graph and options, for another thread. They share the weights, so that memory does
  /// not grow by them.
  [[nodiscard]] Result<FloatExecutor> another() const;

  FloatExecutor(FloatExecutor&&) noexcept;
  FloatExecutor& operator=(FloatExecutor&&) noexcept;
  ~FloatExecutor();

  /// One tensor per graph input, in order, of any batch size where the graph leaves the extent open; gives
  /// one row-major tensor per graph output. kInvalidArgument names the input whose type or shape does not
  /// fit.
  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs);
  /// The same, showing values to `observer` on the way. Fused operators run one by one then.
  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs, const ValueObserver& observer);
  /// For graphs with one input and one output.
  Result<Tensor> run(const Tensor& input);

 private:
  struct State;
  explicit FloatExecutor(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace zeropoint::toolchain
