#pragma once

#include <memory>
#include <span>
#include <vector>

#include "zeropoint/toolchain/loader.h"

namespace zeropoint::toolchain {

/// One pass over the data of every input of a network, side by side: sample i of all of them together.
class JointEpoch {
 public:
  /// kInvalidArgument when there are no data sets, no samples, or not as many of each.
  static Result<JointEpoch> start(std::span<const std::shared_ptr<const Dataset>> data,
                                  std::int64_t batch_size);

  /// The next batch of each; empty at the end.
  Result<std::vector<Batch>> next();

 private:
  std::vector<Epoch> epochs_;
};

}  // namespace zeropoint::toolchain
