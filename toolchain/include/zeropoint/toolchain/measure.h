#pragma once

// What quantization does to a network, tensor by tensor: two networks run side by side on the same samples,
// sums are kept in constant memory, and figures are read off them.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/status.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/evaluate.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

struct QuantPlan;

/// How far a tensor x' is from the x that it stands for, over all samples.
struct Deviation {
  double sqnr_db = 0;  ///< 10 log10(sum x^2 / sum (x' - x)^2); infinite where both are equal
  double cosine = 1;   ///< sum x x' / sqrt(sum x^2 sum x'^2)
  double largest = 0;  ///< max |x' - x|
};

/// One channel, and the signal-to-noise ratio in it.
struct ChannelDeviation {
  std::int64_t channel = 0;
  double sqnr_db = 0;
};

/// Weights or a bias beside the constant of the float network.
struct ConstantMeasurement {
  std::string tensor;        ///< its name in the float network
  std::string type;          ///< "int8"
  bool per_channel = false;  ///< more than one scale
  double sqnr_db = 0;
  ChannelDeviation worst;  ///< the output channel with the lowest ratio
  double median_db = 0;    ///< the median of the channels' ratios
  double saturated = 0;    ///< share of elements that lie beyond the range of their integers
  /// The largest |w| of a channel, for the channel where it is largest, over the median of all channels.
  double spread = 1;
  /// How many times wider than max|w| the range of a scale is, at the scale where that is most: 1 where all
  /// steps are used.
  double slack = 1;
  std::int64_t slack_channel = 0;
  /// By what the constant is multiplied, sum w w' / sum w^2, in the channel where that is farthest from 1: a
  /// scale that is not that of the integers.
  double gain = 1;
  std::int64_t gain_channel = 0;
};

/// One tensor of the network where it is quantized, or a result that is not: the layer that makes it.
///
/// Isolated is what this layer alone does: it reads what the float network computes, with its own weights and
/// its own result quantized. Cumulative is what has added up to here in the quantized network.
struct LayerMeasurement {
  std::string tensor;  ///< its name in the float network
  std::string node;    ///< the node that makes it: the product, where activations follow one
  std::string op;
  std::vector<std::string> readers;  ///< the nodes that read it
  std::string type;                  ///< "uint8"; "float32" where it is not quantized
  QuantParams params;                ///< where it is
  double lowest = 0;                 ///< the reals that its integers can stand for
  double highest = 0;
  double smallest_seen = 0;  ///< in the float network
  double largest_seen = 0;
  bool is_quantized = false;
  bool only_moves = false;  ///< its integers are those of other tensors, rearranged or selected
  std::size_t group = 0;  ///< the first of the layers that share its scale because integers move between them
  bool is_output = false;
  std::int64_t elements = 0;  ///< over all samples

  Deviation isolated;
  Deviation cumulative;
  /// The isolated error split: sums of squares of what is cut off at the ends of the range, of what rounding
  /// to a step changes, and of what comes from the layer's constants; as shares of the signal's sum of
  /// squares.
  double clipping = 0;
  double rounding = 0;
  double constants = 0;
  /// The share of `constants` that is the same for all positions of a channel: what a bias can correct.
  double constant_shift = 0;
  double saturated = 0;       ///< share of values beyond the range
  double effective_bits = 0;  ///< log2 of the number of steps between which 99.9 % of the values lie
  int bits = 0;               ///< of the type
  ChannelDeviation worst;     ///< isolated
  double median_db = 0;       ///< isolated, the median over the channels
  double poor_channels = 0;   ///< share of channels whose ratio is 10 dB or more below that of all
  std::optional<ConstantMeasurement> weights;
  std::optional<ConstantMeasurement> bias;
  bool bias_was_improved = false;  ///< `bias` is beside what an improvement made of the float network's
};

/// An output of the network beside that of the float network.
struct OutputMeasurement {
  std::string tensor;
  Deviation deviation;
  std::int64_t rows = 0;      ///< places with scores; 0 where the output holds no scores
  std::int64_t agreeing = 0;  ///< of these, where both networks put the same class first
  /// The mean over the rows of sum p (log p - log p'), in nats (Kullback-Leibler), p and p' being the softmax
  /// of the scores, or they themselves where they are probabilities: how far predictions moved, however
  /// right.
  double divergence = 0;
  double divergence_error = 0;  ///< standard error of this mean, rows taken as independent
  /// The mean over the rows of p(first class of the float network) - p(first class of the quantized one), p
  /// being the float network's: the right answers that are lost where p is what really happens. Only rows
  /// whose first class changes count, each by how clear it was.
  double expected_loss = 0;
  double expected_loss_error = 0;  ///< standard error of this mean
};

struct Measurement {
  std::int64_t samples = 0;
  std::string data;
  std::vector<LayerMeasurement> layers;  ///< in the order of the quantized network
  std::vector<OutputMeasurement> outputs;
  std::optional<Evaluation> float_scores;  ///< where the samples have labels
  std::optional<Evaluation> quantized_scores;
  std::vector<std::string> unmatched;  ///< quantized tensors that the float network has no counterpart of
};

struct MeasureOptions {
  int threads = 0;  ///< 0: as many as there are cores; changes no figure
  /// For samples with labels: which scores are which classes, see evaluate.h.
  EvaluationOptions evaluation;
  bool use_labels = true;
  /// What the quantized network was made by, where that is known: biases that improvements changed on purpose
  /// are put beside what they made, not beside the float network's.
  const QuantPlan* plan = nullptr;
  bool layers = true;  ///< false: outputs alone, in a third of the time
  std::function<void(std::int64_t done, std::int64_t total)> progress;
};

/// Runs `quantized`, a graph in QDQ form, beside `reference`, the float graph that it was made from,
/// simplified or not: one data set for each input, in order. Tensors are paired by name; those of
/// QuantizeLinear and DequantizeLinear pairs by the names of what they quantize, as zeropoint and ONNX
/// Runtime write them. The quantization is simulated in float32. kInvalidArgument when the inputs of the two
/// differ, there are no samples, or no tensor of the two could be paired; otherwise the errors of running
/// them.
Result<Measurement> measure(const Graph& reference, const Graph& quantized,
                            std::span<const std::shared_ptr<const Dataset>> data,
                            const MeasureOptions& options = {});

}  // namespace zeropoint::toolchain
