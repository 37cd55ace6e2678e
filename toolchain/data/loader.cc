#include "zeropoint/toolchain/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>

#include "data/boundary.h"
#include "zeropoint/toolchain/random.h"

namespace zeropoint::toolchain {

/// Makes the batches of a pass, in a thread of its own where prefetch asks for one.
class Epoch::Source {
 public:
  using Item = Result<std::optional<Batch>>;

  Source(std::shared_ptr<const Dataset> data, const LoaderOptions& options, std::vector<std::int64_t> order,
         std::int64_t first_batch, std::int64_t batches)
      : data_(std::move(data)),
        order_(std::move(order)),
        batch_size_(options.batch_size),
        next_batch_(first_batch),
        batches_(batches),
        capacity_(static_cast<std::size_t>(options.prefetch)) {
    if (capacity_ > 0) {
      try {
        thread_ = std::thread([this] { fill_queue(); });
      } catch (const std::system_error&) {
        capacity_ = 0;  // no thread to be had: the batches are the same without one, only later
      }
    }
  }

  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  ~Source() {
    if (thread_.joinable()) {
      {
        std::lock_guard lock(mutex_);
        stopped_ = true;
      }
      changed_.notify_all();
      thread_.join();
    }
  }

  Item next() {
    if (!last_.ok()) {
      return last_;
    }
    Item item = capacity_ > 0 ? take() : make_batch();
    last_ = item.status();
    return item;
  }

 private:
  /// The next batch; nothing when all were made.
  Item make_batch() {
    return without_exceptions("data loader", [&]() -> Item {
      if (next_batch_ == batches_) {
        return std::optional<Batch>();
      }
      auto size = static_cast<std::int64_t>(order_.size());
      std::int64_t first = next_batch_ * batch_size_;
      std::int64_t count = std::min(batch_size_, size - first);
      ++next_batch_;
      Shape shape = data_->sample_shape();
      shape.insert(shape.begin(), count);
      Batch batch{Tensor(data_->element_type(), std::move(shape)), {}, {}};
      batch.indices.assign(order_.begin() + first, order_.begin() + first + count);
      auto labels = static_cast<std::size_t>(data_->labels_per_sample());
      batch.labels.resize(batch.indices.size() * labels);
      std::span<std::byte> rest(batch.inputs.bytes(), batch.inputs.byte_size());
      std::size_t sample = rest.size() / static_cast<std::size_t>(count);
      for (std::size_t i = 0; i < batch.indices.size(); ++i) {
        std::int64_t index = batch.indices[i];
        Status status = data_->read_bytes(index, rest.subspan(i * sample, sample));
        if (status.ok()) {
          status = data_->read_labels(index, std::span(batch.labels).subspan(i * labels, labels));
        }
        ZP_RETURN_IF_ERROR(status.at(fmt::format("sample {}", index)));
      }
      return std::optional<Batch>(std::move(batch));
    });
  }

  /// The thread: ends after the last batch, an error, or when the epoch is given up.
  void fill_queue() {
    for (bool more = true; more;) {
      Item item = make_batch();
      more = item.ok() && item->has_value();
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopped_ || queue_.size() < capacity_; });
      if (stopped_) {
        return;
      }
      queue_.push_back(std::move(item));
      lock.unlock();
      changed_.notify_all();
    }
  }

  Item take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !queue_.empty(); });
    if (queue_.front().ok() && !queue_.front()->has_value()) {
      return std::optional<Batch>();  // the end stays in the queue, for whoever asks again
    }
    Item item = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return item;
  }

  const std::shared_ptr<const Dataset> data_;
  const std::vector<std::int64_t> order_;
  const std::int64_t batch_size_;
  std::int64_t next_batch_;  // of whoever makes the batches
  const std::int64_t batches_;
  std::size_t capacity_;
  Status last_;  // of the consumer

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> queue_;  // guarded by mutex_
  bool stopped_ = false;    // guarded by mutex_
  std::thread thread_;
};

Epoch::Epoch(std::unique_ptr<Source> source) : source_(std::move(source)) {}
Epoch::Epoch(Epoch&& other) noexcept = default;
Epoch& Epoch::operator=(Epoch&& other) noexcept = default;
Epoch::~Epoch() = default;

Result<std::optional<Batch>> Epoch::next() { return source_->next(); }

DataLoader::DataLoader(std::shared_ptr<const Dataset> data, LoaderOptions options)
    : data_(std::move(data)), options_(options) {}

Result<DataLoader> DataLoader::make(std::shared_ptr<const Dataset> data, LoaderOptions options) {
  if (options.batch_size <= 0) {
    return Status::invalid_argument(fmt::format("batch size {} must be at least 1", options.batch_size));
  }
  if (options.prefetch < 0) {
    return Status::invalid_argument(fmt::format("cannot prefetch {} batches", options.prefetch));
  }
  return DataLoader(std::move(data), options);
}

std::int64_t DataLoader::batches() const {
  std::int64_t full = data_->size() / options_.batch_size;
  bool partial = data_->size() % options_.batch_size != 0 && !options_.drop_last;
  return full + (partial ? 1 : 0);
}

Result<Epoch> DataLoader::epoch(std::int64_t number, std::int64_t first_batch) const {
  return without_exceptions("data loader", [&]() -> Result<Epoch> {
    if (first_batch < 0 || first_batch > batches()) {
      return Status::invalid_argument(
          fmt::format("there is no batch {}; an epoch has {}", first_batch, batches()));
    }
    std::vector<std::int64_t> order(static_cast<std::size_t>(data_->size()));
    std::iota(order.begin(), order.end(), 0);
    if (options_.shuffle) {
      Random(options_.seed, static_cast<std::uint64_t>(number)).shuffle(order);
    }
    return Epoch(std::make_unique<Epoch::Source>(data_, options_, std::move(order), first_batch, batches()));
  });
}

}  // namespace zeropoint::toolchain
