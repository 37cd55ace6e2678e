#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/dataset.h"

namespace zeropoint::toolchain {

struct LoaderOptions {
  std::int64_t batch_size = 64;
  bool shuffle = false;
  std::uint64_t seed = 0;     ///< with the number of the epoch, all that the shuffled order depends on
  bool drop_last = false;     ///< leaves out the last batch when it is not full
  std::int64_t prefetch = 2;  ///< batches that a background thread makes ahead; 0 for no thread
};

/// Some samples of a data set, stacked.
struct Batch {
  Tensor inputs;                      ///< [samples, sample shape...] of the data set's element type
  std::vector<std::int64_t> labels;   ///< Dataset::labels_per_sample() for each sample, one after another
  std::vector<std::int64_t> indices;  ///< of the samples in the data set
};

/// One pass over a data set. Used by one thread; may be destroyed before its end.
class Epoch {
 public:
  Epoch(Epoch&& other) noexcept;
  Epoch& operator=(Epoch&& other) noexcept;
  ~Epoch();

  /// The next batch, or nothing at the end. After an error (of the data set, naming the sample, or
  /// kResourceExhausted) the epoch is over: the same error again.
  Result<std::optional<Batch>> next();

 private:
  friend class DataLoader;
  class Source;
  explicit Epoch(std::unique_ptr<Source> source);

  std::unique_ptr<Source> source_;
};

/// Cuts a data set into batches, in the same order for the same options and epoch whatever the threads do.
/// Immutable, so that epochs may run side by side.
class DataLoader {
 public:
  /// kInvalidArgument when the batch size is not positive or prefetch is negative.
  static Result<DataLoader> make(std::shared_ptr<const Dataset> data, LoaderOptions options);

  /// Starts the pass numbered `number`, at batch `first_batch` to resume an interrupted one.
  /// kInvalidArgument when first_batch is not in [0, batches()].
  [[nodiscard]] Result<Epoch> epoch(std::int64_t number, std::int64_t first_batch = 0) const;

  /// The number of batches of one pass.
  [[nodiscard]] std::int64_t batches() const;
  [[nodiscard]] const Dataset& data() const { return *data_; }
  [[nodiscard]] const LoaderOptions& options() const { return options_; }

 private:
  DataLoader(std::shared_ptr<const Dataset> data, LoaderOptions options);

  std::shared_ptr<const Dataset> data_;
  LoaderOptions options_;
};

}  // namespace zeropoint::toolchain
