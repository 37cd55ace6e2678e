#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "parallel/team.h"
#include "zeropoint/toolchain/loader.h"
#include "zeropoint/toolchain/training_executor.h"

namespace zeropoint::toolchain {

/// What one batch gave.
struct BatchLoss {
  double loss = 0;           ///< mean softmax cross-entropy over the batch
  std::int64_t correct = 0;  ///< samples whose label has the highest score
};

/// A graph in training on several threads: each computes a part of every batch on its own replica, and the
/// gradients are summed in the order of the parts. The same number of threads gives the same bits. Used by
/// one thread.
class DataParallel {
 public:
  /// `threads` replicas, 0: as many as there are cores. Errors as TrainingExecutor::create().
  static Result<DataParallel> create(const Graph& graph, int threads);

  /// Replaces the gradient of each parameter by that of the batch's mean loss. A loss that is not finite is
  /// returned as it is, without gradients.
  Result<BatchLoss> forward_backward(const Batch& batch);
  /// The scores of a batch, with the parameters as they are now.
  Result<Tensor> forward(const Tensor& inputs);

  /// Those of the first replica; the others take their data over before they compute.
  [[nodiscard]] std::span<Parameter> parameters() const { return replicas_[0].parameters(); }
  [[nodiscard]] Graph trained_graph() const { return replicas_[0].trained_graph(); }

 private:
  explicit DataParallel(std::vector<TrainingExecutor> replicas);

  void take_over_parameters(std::size_t replica);
  Result<BatchLoss> compute_part(std::size_t replica, const Batch& batch, std::int64_t begin,
                                 std::int64_t end);

  std::vector<TrainingExecutor> replicas_;
  std::unique_ptr<Team> team_;
};

}  // namespace zeropoint::toolchain
