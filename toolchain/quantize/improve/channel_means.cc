#include "quantize/improve/channel_means.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace zeropoint::toolchain {
namespace {

double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double normal_density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }

/// The mean of a normal variable clipped to [low, high].
double clipped_mean(double mean, double deviation, double low, double high) {
  if (deviation == 0) {
    return std::min(std::max(mean, low), high);
  }
  double a = (low - mean) / deviation;
  double b = (high - mean) / deviation;
  double below = normal_distribution(a);
  double above = normal_distribution(-b);
  double result = mean * (1 - below - above) + deviation * (normal_density(a) - normal_density(b));
  // An end that is infinite has no share, and would be 0 * inf.
  return result + (below > 0 ? low * below : 0) + (above > 0 ? high * above : 0);
}

/// The ends that an activation clips to.
std::optional<std::pair<double, double>> clip_of(const Graph& graph, const Node& node) {
  double infinity = std::numeric_limits<double>::infinity();
  if (node.op == Op::kRelu) {
    return std::pair(0.0, infinity);
  }
  if (node.op != Op::kClip) {
    return std::nullopt;
  }
  std::pair ends(-infinity, infinity);
  for (std::size_t i : {1U, 2U}) {
    if (!node.has_input(i)) {
      continue;
    }
    const Tensor* end = graph.constant(node, i);
    if (end == nullptr || end->type() != ElementType::kFloat32 || end->size() != 1) {
      return std::nullopt;
    }
    (i == 1 ? ends.first : ends.second) = end->data<float>()[0];
  }
  return ends;
}

}  // namespace

void ChannelSums::add(const Tensor& tensor, std::int64_t axis) {
  axis = axis < 0 ? axis + tensor.rank() : axis;
  auto channels = static_cast<std::size_t>(tensor.dim(axis));
  std::size_t inner = 1;
  for (std::int64_t i = axis + 1; i < tensor.rank(); ++i) {
    inner *= static_cast<std::size_t>(tensor.dim(i));
  }
  sums_.resize(channels);
  if (tensor.size() == 0) {
    return;
  }
  const float* element = tensor.data<float>().data();
  std::size_t outer = static_cast<std::size_t>(tensor.size()) / (channels * inner);
  for (std::size_t o = 0; o < outer; ++o) {
    for (double& sum : sums_) {
      for (std::size_t i = 0; i < inner; ++i) {
        sum += *element++;
      }
    }
  }
  count_ += static_cast<std::int64_t>(outer * inner);
}

void ChannelSums::add(const ChannelSums& other) {
  sums_.resize(other.sums_.size());
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    sums_[i] += other.sums_[i];
  }
  count_ += other.count_;
}

std::vector<double> ChannelSums::means() const {
  std::vector<double> means = sums_;
  for (double& mean : means) {
    mean /= static_cast<double>(count_);
  }
  return means;
}

Result<ChannelMeans> channel_means(const Graph& graph, const std::vector<ChannelAxis>& tensors,
                                   const SampleChunks& samples, Team& team) {
  std::vector<ValueId> wanted;
  std::map<ValueId, std::vector<ChannelSums>> sums;
  std::map<ValueId, std::int64_t> axes;
  for (const ChannelAxis& tensor : tensors) {
    wanted.push_back(tensor.value);
    axes[tensor.value] = tensor.axis;
    sums[tensor.value].resize(samples.count());
  }
  ChannelMeans means;
  if (wanted.empty()) {
    return means;
  }
  std::vector<const std::vector<Tensor>*> inputs;
  for (const std::vector<Tensor>& input : samples.inputs) {
    inputs.push_back(&input);
  }
  ZP_RETURN_IF_ERROR(
      run_chunks(graph, inputs, wanted, team, [&](std::size_t chunk, ValueId value, const Tensor& tensor) {
        sums.at(value)[chunk].add(tensor, axes.at(value));
        return Status();
      }));
  for (const auto& [value, chunks] : sums) {
    ChannelSums total;
    for (const ChannelSums& chunk : chunks) {
      total.add(chunk);
    }
    means[graph.value(value).name] = total.means();
  }
  return means;
}

ChannelMeans channel_means_of_batch_norms(const Graph& graph) {
  ChannelMeans means;
  std::map<ValueId, const Node*> norms;
  for (const Node& node : graph.nodes) {
    if (node.op == Op::kBatchNormalization) {
      const Tensor* gamma = graph.constant(node, 1);
      const Tensor* beta = graph.constant(node, 2);
      if (gamma != nullptr && beta != nullptr && gamma->type() == ElementType::kFloat32 &&
          beta->type() == ElementType::kFloat32) {
        norms[node.outputs[0]] = &node;
        means[graph.value(node.outputs[0]).name] = {beta->data<float>().begin(), beta->data<float>().end()};
      }
      continue;
    }
    auto norm = node.inputs.empty() ? norms.end() : norms.find(node.inputs[0]);
    std::optional<std::pair<double, double>> clip = norm == norms.end() ? std::nullopt : clip_of(graph, node);
    if (clip) {
      std::span<const float> gamma = graph.constant(*norm->second, 1)->data<float>();
      std::span<const float> beta = graph.constant(*norm->second, 2)->data<float>();
      std::vector<double>& clipped = means[graph.value(node.outputs[0]).name];
      for (std::size_t c = 0; c < gamma.size(); ++c) {
        clipped.push_back(clipped_mean(beta[c], std::fabs(gamma[c]), clip->first, clip->second));
      }
    }
  }
  return means;
}

}  // namespace zeropoint::toolchain
