#include "zeropoint/toolchain/loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zeropoint::toolchain {

Result<Loss> softmax_cross_entropy(const Tensor& logits, std::span<const std::int64_t> labels) {
  if (logits.type() != ElementType::kFloat32 || logits.rank() < 2 || logits.size() == 0) {
    return Status::invalid_argument(fmt::format("scores are {} {}; float32 [samples, classes] is needed",
                                                zeropoint::name_of(logits.type()),
                                                zeropoint::to_string(logits.shape())));
  }
  auto samples = static_cast<std::size_t>(logits.dim(0));
  if (labels.size() != samples) {
    return Status::invalid_argument(fmt::format("there are {} labels for scores {}", labels.size(),
                                                zeropoint::to_string(logits.shape())));
  }
  std::size_t classes = static_cast<std::size_t>(logits.size()) / samples;
  Loss loss{0, Tensor(ElementType::kFloat32, logits.shape())};
  for (std::size_t i = 0; i < samples; ++i) {
    if (labels[i] < 0 || static_cast<std::size_t>(labels[i]) >= classes) {
      return Status::invalid_argument(fmt::format(
          "sample {} of the batch has label {}; the network has {} classes", i, labels[i], classes));
    }
    auto label = static_cast<std::size_t>(labels[i]);
    std::span<const float> row = logits.data<float>().subspan(i * classes, classes);
    std::span<float> gradient = loss.gradient.data<float>().subspan(i * classes, classes);
    auto largest = static_cast<double>(*std::max_element(row.begin(), row.end()));
    double sum = 0;
    for (float score : row) {
      sum += std::exp(static_cast<double>(score) - largest);
    }
    loss.value += std::log(sum) - (static_cast<double>(row[label]) - largest);
    for (std::size_t c = 0; c < classes; ++c) {
      double probability = std::exp(static_cast<double>(row[c]) - largest) / sum;
      gradient[c] = static_cast<float>((probability - (c == label ? 1 : 0)) / static_cast<double>(samples));
    }
  }
  loss.value /= static_cast<double>(samples);
  return loss;
}

}  // namespace zeropoint::toolchain
