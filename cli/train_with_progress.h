#pragma once

#include <memory>

#include "zeropoint/toolchain/optimizer.h"
#include "zeropoint/toolchain/trainer.h"

namespace zeropoint::cli {

/// toolchain::train() with a progress bar over the whole training (loss, rate, time left) and, with `print`,
/// a line on stdout per epoch. `options` must not have callbacks.
Result<toolchain::TrainingResult> train_with_progress(
    const toolchain::Graph& graph, const std::shared_ptr<const toolchain::Dataset>& data,
    const std::shared_ptr<const toolchain::Dataset>& validation, toolchain::Optimizer& optimizer,
    toolchain::TrainerOptions options, bool print);

}  // namespace zeropoint::cli
