#include "train_with_progress.h"

#include <fmt/format.h>

#include <cstdio>

#include "progress.h"

namespace zeropoint::cli {
namespace {

using toolchain::EpochReport;
using toolchain::Proceed;
using toolchain::StepReport;

void print_epoch(const EpochReport& report) {
  const StepReport& t = report.training;
  fmt::print("epoch {}/{}  loss {:.4f}  train {:.2f} %", t.epoch, t.epochs, t.mean_loss, 100 * t.accuracy);
  if (report.validation) {
    fmt::print("  test {:.2f} %{}", 100 * report.validation->accuracy(), report.is_best ? " *" : "  ");
  }
  fmt::print("  rate {:.4g}  {:.2f} s  {:.0f} images/s\n", t.learning_rate, t.seconds,
             t.samples_per_second());
  std::fflush(stdout);
}

}  // namespace

Result<toolchain::TrainingResult> train_with_progress(
    const toolchain::Graph& graph, const std::shared_ptr<const toolchain::Dataset>& data,
    const std::shared_ptr<const toolchain::Dataset>& validation, toolchain::Optimizer& optimizer,
    toolchain::TrainerOptions options, bool print) {
  Progress bar("training", "images");
  options.on_step = [&](const StepReport& report) {
    bar.update((report.epoch - 1) * data->size() + report.samples, report.epochs * data->size(),
               fmt::format("epoch {}/{} loss {:.4f}", report.epoch, report.epochs, report.mean_loss));
    return Proceed::kContinue;
  };
  options.on_epoch_end = [&](const EpochReport& report) {
    if (print) {
      bar.clear();
      print_epoch(report);
    }
    return Proceed::kContinue;
  };
  return toolchain::train(graph, data, validation, optimizer, options);
}

}  // namespace zeropoint::cli
