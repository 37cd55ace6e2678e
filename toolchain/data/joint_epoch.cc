#include "data/joint_epoch.h"

#include <fmt/format.h>

namespace zeropoint::toolchain {

Result<JointEpoch> JointEpoch::start(std::span<const std::shared_ptr<const Dataset>> data,
                                     std::int64_t batch_size) {
  if (data.empty() || data[0]->size() == 0) {
    return Status::invalid_argument(data.empty() ? std::string("there are no samples")
                                                 : "there are no samples in: " + data[0]->description());
  }
  JointEpoch result;
  for (const std::shared_ptr<const Dataset>& input : data) {
    if (input->size() != data[0]->size()) {
      return Status::invalid_argument(
          fmt::format("there are {} samples of one input and {} of another: {}; {}", data[0]->size(),
                      input->size(), data[0]->description(), input->description()));
    }
    ZP_ASSIGN_OR_RETURN(DataLoader loader, DataLoader::make(input, {.batch_size = batch_size}));
    ZP_ASSIGN_OR_RETURN(Epoch epoch, loader.epoch(0));
    result.epochs_.push_back(std::move(epoch));
  }
  return result;
}

Result<std::vector<Batch>> JointEpoch::next() {
  std::vector<Batch> batches;
  for (Epoch& epoch : epochs_) {
    ZP_ASSIGN_OR_RETURN(std::optional<Batch> batch, epoch.next());
    if (!batch) {
      return std::vector<Batch>();
    }
    batches.push_back(*std::move(batch));
  }
  return batches;
}

}  // namespace zeropoint::toolchain
