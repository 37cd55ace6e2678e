#pragma once

#include <memory>
#include <span>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/parameter.h"

namespace zeropoint::toolchain {

struct TrainingOptions {
  /// Threads to compute with; 0 takes all that OpenMP offers. The same number gives the same bits.
  int threads = 0;
};

/// Runs a graph forward and backward in float32, with its trainable_values() as parameters that change
/// between runs. Movable; one thread at a time may use it.
class TrainingExecutor {
 public:
  /// As FloatExecutor::create; besides, kInvalidArgument when the graph has nothing to train.
  static Result<TrainingExecutor> create(const Graph& graph, TrainingOptions options = {});

  TrainingExecutor(TrainingExecutor&&) noexcept;
  TrainingExecutor& operator=(TrainingExecutor&&) noexcept;
  ~TrainingExecutor();

  /// As FloatExecutor::run, with the parameters as they are now.
  Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs);
  /// For graphs with one input and one output.
  Result<Tensor> forward(const Tensor& input);

  /// After forward(): replaces the gradient of every parameter by that of a loss whose gradients with respect
  /// to the outputs, in order and in their shapes, are given. kUnsupported names the node that cannot be
  /// trained through; kInvalidArgument for other shapes or without a forward().
  Status backward(std::span<const Tensor> output_gradients);
  Status backward(const Tensor& output_gradient);

  /// The parameters, at addresses that stay. Their data may be changed between runs, their shapes may not.
  [[nodiscard]] std::span<Parameter> parameters() const;

  /// The graph that the executor was made from, with the parameters as they are now.
  [[nodiscard]] Graph trained_graph() const;

 private:
  struct State;
  explicit TrainingExecutor(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace zeropoint::toolchain
