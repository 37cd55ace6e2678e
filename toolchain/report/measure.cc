#include "zeropoint/toolchain/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "data/joint_epoch.h"
#include "parallel/split_batch.h"
#include "report/constant_error.h"
#include "report/forced_graph.h"
#include "report/output_sums.h"
#include "report/point_sums.h"
#include "report/quantized_points.h"
#include "train/evaluator.h"
#include "zeropoint/toolchain/float_executor.h"
#include "zeropoint/toolchain/quantize_network.h"

namespace zeropoint::toolchain {
namespace {

/// Where the channels of a point's tensor lie: behind the batch for images, last for rows of features.
std::int64_t channel_axis_of(const QuantizedPoint& point, const Tensor& tensor) {
  bool rows = point.maker != nullptr && (point.maker->op == Op::kMatMul || point.maker->op == Op::kGemm);
  if (tensor.rank() < 2) {
    return -1;
  }
  return rows || tensor.rank() <= 3 ? tensor.rank() - 1 : 1;
}

/// What one part of the samples came to.
struct Part {
  std::vector<PointSums> sums;            // per point
  std::vector<Tensor> reference_outputs;  // as the networks give them
  std::vector<Tensor> quantized_outputs;
};

/// One thread's share: the three networks, each with memory of its own.
class Worker {
 public:
  /// Without points, outputs alone are computed.
  static Result<Worker> create(const Graph& reference, const Graph& quantized, const ForcedGraph& forced,
                               const std::vector<QuantizedPoint>& points) {
    ZP_ASSIGN_OR_RETURN(FloatExecutor reference_run, FloatExecutor::create(reference, {1}));
    ZP_ASSIGN_OR_RETURN(FloatExecutor quantized_run, FloatExecutor::create(quantized, {1}));
    Worker worker(std::move(reference_run), std::move(quantized_run), forced.forced, points);
    if (!points.empty()) {
      ZP_ASSIGN_OR_RETURN(worker.forced_, FloatExecutor::create(forced.graph, {1}));
    }
    return worker;
  }

  /// One more for another thread; they share the weights.
  [[nodiscard]] Result<Worker> another() const {
    ZP_ASSIGN_OR_RETURN(FloatExecutor reference_run, reference_.another());
    ZP_ASSIGN_OR_RETURN(FloatExecutor quantized_run, quantized_.another());
    Worker worker(std::move(reference_run), std::move(quantized_run), *forced_points_, *points_);
    if (forced_) {
      ZP_ASSIGN_OR_RETURN(worker.forced_, forced_->another());
    }
    return worker;
  }

  Result<Part> run(std::vector<Tensor> inputs) {
    Part part;
    if (points_->empty()) {
      ZP_ASSIGN_OR_RETURN(part.reference_outputs, reference_.run(inputs));
      ZP_ASSIGN_OR_RETURN(part.quantized_outputs, quantized_.run(inputs));
      return part;
    }
    for (const QuantizedPoint& point : *points_) {
      std::optional<PointSums::Rounding> rounding;
      if (point.quantization) {
        rounding = {point.quantization->params.params[0], point.range};
      }
      part.sums.emplace_back(rounding, point.is_masked);
    }
    std::map<ValueId, Tensor> seen;
    ValueObserver keep{[&](ValueId id, const Tensor& tensor) {
                         seen.insert_or_assign(id, tensor);
                         return Status();
                       },
                       reference_values_};
    ZP_ASSIGN_OR_RETURN(part.reference_outputs, reference_.run(inputs, keep));
    ValueObserver compare{[&](ValueId id, const Tensor& tensor) {
                            return for_points(id, &QuantizedPoint::seen, seen, tensor,
                                              [&](std::size_t i, const Tensor& wanted) {
                                                part.sums[i].add_cumulative(wanted, tensor);
                                              });
                          },
                          seen_values_};
    ZP_ASSIGN_OR_RETURN(part.quantized_outputs, quantized_.run(inputs, compare));
    ZP_RETURN_IF_ERROR(run_alone(std::move(inputs), seen, part));
    return part;
  }

 private:
  Worker(FloatExecutor reference, FloatExecutor quantized, const std::vector<std::size_t>& forced_points,
         const std::vector<QuantizedPoint>& points)
      : reference_(std::move(reference)),
        quantized_(std::move(quantized)),
        forced_points_(&forced_points),
        points_(&points) {
    for (const QuantizedPoint& point : points) {
      reference_values_.push_back(point.reference);
      seen_values_.push_back(point.seen());
      reals_.insert(point.real);
      alone_values_.push_back(point.real);
      alone_values_.push_back(point.seen());
    }
  }

  /// Every layer alone, fed with what the float network computes.
  Status run_alone(std::vector<Tensor> inputs, const std::map<ValueId, Tensor>& seen, Part& part) {
    for (std::size_t i : *forced_points_) {
      inputs.push_back(seen.at((*points_)[i].reference));
    }
    std::map<ValueId, Tensor> alone;
    ValueObserver measure{[&](ValueId id, const Tensor& tensor) {
                            if (reals_.count(id) != 0) {
                              alone.insert_or_assign(id, tensor);
                            }
                            return for_points(id, &QuantizedPoint::seen, seen, tensor,
                                              [&](std::size_t i, const Tensor& wanted) {
                                                const QuantizedPoint& point = (*points_)[i];
                                                part.sums[i].add_isolated(wanted, alone.at(point.real),
                                                                          tensor,
                                                                          channel_axis_of(point, tensor));
                                              });
                          },
                          alone_values_};
    return forced_->run(inputs, measure).status();
  }

  /// Calls for each point that is read at `id`, with what the float network computes there.
  template <typename Function>
  Status for_points(ValueId id, ValueId (QuantizedPoint::*place)() const,
                    const std::map<ValueId, Tensor>& seen, const Tensor& tensor, Function&& function) const {
    for (std::size_t i = 0; i < points_->size(); ++i) {
      if (((*points_)[i].*place)() != id) {
        continue;
      }
      const Tensor& wanted = seen.at((*points_)[i].reference);
      if (wanted.shape() != tensor.shape()) {
        return Status::invalid_argument(
            fmt::format("a tensor is {} in the float network and {} in the quantized "
                        "one; they are not the same network",
                        zeropoint::to_string(wanted.shape()), zeropoint::to_string(tensor.shape())));
      }
      function(i, wanted);
    }
    return {};
  }

  FloatExecutor reference_;
  FloatExecutor quantized_;
  std::optional<FloatExecutor> forced_;
  const std::vector<std::size_t>* forced_points_;
  const std::vector<QuantizedPoint>* points_;
  std::vector<ValueId> reference_values_;
  std::vector<ValueId> seen_values_;
  std::set<ValueId> reals_;
  std::vector<ValueId> alone_values_;
};

/// Everything that outlives one batch.
class Comparison {
 public:
  Comparison(const Graph& reference, const Graph& quantized, const Dataset& data,
             const MeasureOptions& options)
      : reference_(reference), quantized_(quantized), data_(data), options_(options) {
    has_labels_ =
        options.use_labels && (data.labels_per_sample() > 1 || (data.size() > 0 && data.label(0) >= 0));
    if (has_labels_) {
      float_scores_.emplace(data, options.evaluation);
      quantized_scores_.emplace(data, options.evaluation);
    }
    for (ValueId output : reference.outputs) {
      outputs_.emplace_back(reference.value(output).name, options.evaluation.scores_are_probabilities);
    }
  }

  /// Takes in a part; `batch` holds its labels.
  Status add(const Part& part, const Batch& batch) {
    if (sums_.empty()) {
      sums_ = part.sums;
    } else {
      for (std::size_t i = 0; i < sums_.size(); ++i) {
        sums_[i].merge(part.sums[i]);
      }
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      ZP_RETURN_IF_ERROR(outputs_[i].add(part.reference_outputs[i], part.quantized_outputs[i]));
    }
    if (has_labels_) {
      ZP_RETURN_IF_ERROR(float_scores_->add(batch, part.reference_outputs[0]));
      ZP_RETURN_IF_ERROR(quantized_scores_->add(batch, part.quantized_outputs[0]));
    }
    return {};
  }

  Result<Measurement> finish(const QuantizedPoints& points) {
    Measurement result;
    result.samples = data_.size();
    result.data = data_.description();
    result.unmatched = points.unmatched;
    for (const OutputSums& output : outputs_) {
      result.outputs.push_back(output.figures());
    }
    if (has_labels_) {
      ZP_ASSIGN_OR_RETURN(result.float_scores, float_scores_->finish());
      ZP_ASSIGN_OR_RETURN(result.quantized_scores, quantized_scores_->finish());
    }
    if (sums_.empty()) {
      return result;
    }
    // Constants and names of nodes are those of the network as quantize() has it.
    Result<PreparedNetwork> prepared = prepare_network(reference_);
    const Graph& simplified = prepared.ok() ? prepared->graph : reference_;
    ConstantErrors constants(simplified, quantized_, options_.plan);
    std::vector<std::int32_t> makers = producers(simplified);
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      result.layers.push_back(layer(points.points[i]));
      sums_[i].write(result.layers.back());
      constants.write(points.points[i], result.layers.back());
      if (const Node* node = maker_of(simplified, makers, result.layers.back().tensor)) {
        result.layers.back().node = node->name;
      }
      result.layers.back().readers = readers_of(simplified, result.layers.back().tensor);
    }
    return result;
  }

 private:
  /// The product before the activations of a tensor, or else what makes it; nullptr where nothing does.
  static const Node* maker_of(const Graph& graph, const std::vector<std::int32_t>& makers,
                              const std::string& tensor) {
    ValueId value = graph.find(tensor);
    if (value == kNoValue || makers[static_cast<std::size_t>(value)] < 0) {
      return nullptr;
    }
    const Node* product = product_behind(graph, makers, value);
    return product != nullptr
               ? product
               : &graph.nodes[static_cast<std::size_t>(makers[static_cast<std::size_t>(value)])];
  }

  static std::vector<std::string> readers_of(const Graph& graph, const std::string& tensor) {
    std::vector<std::string> readers;
    ValueId value = graph.find(tensor);
    for (const Node& node : graph.nodes) {
      if (value != kNoValue && std::count(node.inputs.begin(), node.inputs.end(), value) > 0) {
        readers.push_back(node.name);
      }
    }
    return readers;
  }

  [[nodiscard]] LayerMeasurement layer(const QuantizedPoint& point) const {
    LayerMeasurement result;
    result.tensor = reference_.value(point.reference).name;
    result.node = point.maker == nullptr ? "" : point.maker->name;
    result.op = point.maker == nullptr ? "input" : std::string(name_of(point.maker->op));
    result.type = "float32";
    result.only_moves = point.only_moves;
    result.group = point.group;
    result.is_output = std::count(quantized_.outputs.begin(), quantized_.outputs.end(), point.seen()) > 0;
    if (point.quantization) {
      QuantizedRange range = point.range;
      bool is_signed = storage_range(point.quantization->storage).q_min < 0;
      result.is_quantized = true;
      result.bits =
          static_cast<int>(std::ceil(std::log2(static_cast<double>(range.q_max - range.q_min + 1))));
      result.type = fmt::format("{}int{}", is_signed ? "" : "u", result.bits);
      result.params = point.quantization->params.params[0];
      result.lowest = dequantize(range.q_min, result.params);
      result.highest = dequantize(range.q_max, result.params);
    }
    return result;
  }

  const Graph& reference_;
  const Graph& quantized_;
  const Dataset& data_;
  const MeasureOptions& options_;
  bool has_labels_ = false;
  std::optional<Evaluator> float_scores_;
  std::optional<Evaluator> quantized_scores_;
  std::vector<PointSums> sums_;
  std::vector<OutputSums> outputs_;
};

/// As many samples at once as keep the tensors of all points within 32 MB, at most 16.
std::int64_t samples_at_once(const Graph& reference, const std::vector<QuantizedPoint>& points) {
  constexpr std::int64_t kBytes = std::int64_t{32} << 20;
  std::int64_t bytes = 1;
  for (const QuantizedPoint& point : points) {
    Shape shape = shape_of(*reference.value(point.reference).dims, 1);
    Result<std::int64_t> elements = element_count(shape);
    bytes += elements.ok() ? *elements * 4 : 0;
  }
  return std::clamp<std::int64_t>(kBytes / bytes, 1, 16);
}

Status check_inputs(const Graph& reference, const Graph& quantized) {
  bool same = reference.inputs.size() == quantized.inputs.size() &&
              reference.outputs.size() == quantized.outputs.size();
  for (std::size_t i = 0; same && i < reference.inputs.size(); ++i) {
    same = reference.value(reference.inputs[i]).type == quantized.value(quantized.inputs[i]).type;
  }
  return same ? Status()
              : Status::invalid_argument(fmt::format(
                    "the networks do not have the same inputs and outputs: {} and {} in the float one, "
                    "{} and {} in the quantized one",
                    reference.inputs.size(), reference.outputs.size(), quantized.inputs.size(),
                    quantized.outputs.size()));
}

/// The inputs pair with whatever network; something behind them must, too.
Status check_points(const QuantizedPoints& points) {
  bool any = std::any_of(points.points.begin(), points.points.end(), [](const QuantizedPoint& point) {
    return point.quantization && point.maker != nullptr;
  });
  if (!any && !points.unmatched.empty()) {
    return Status::invalid_argument(fmt::format(
        "the float network has none of the tensors that are quantized ('{}', ...): is it the network "
        "that was quantized?",
        points.unmatched.front()));
  }
  bool rounds = std::any_of(points.points.begin(), points.points.end(),
                            [](const QuantizedPoint& point) { return point.quantization.has_value(); });
  return rounds ? Status() : Status::invalid_argument("the second network quantizes no tensor");
}

/// Samples [range) of every input.
std::vector<Tensor> inputs_of(const std::vector<Batch>& batches, PartRange range) {
  std::vector<Tensor> inputs;
  for (const Batch& batch : batches) {
    inputs.push_back(slice_batch(batch.inputs, range));
  }
  return inputs;
}

/// The indices and labels of samples [range).
Batch labels_of(const Batch& batch, PartRange range) {
  auto each = static_cast<std::int64_t>(batch.labels.size() / batch.indices.size());
  return {Tensor(),
          {batch.labels.begin() + range.begin * each, batch.labels.begin() + range.end * each},
          {batch.indices.begin() + range.begin, batch.indices.begin() + range.end}};
}

}  // namespace

Result<Measurement> measure(const Graph& reference, const Graph& quantized,
                            std::span<const std::shared_ptr<const Dataset>> data,
                            const MeasureOptions& options) {
  Graph a = reference;
  Graph b = quantized;
  ZP_RETURN_IF_ERROR(infer_shapes(a));
  ZP_RETURN_IF_ERROR(infer_shapes(b));
  ZP_RETURN_IF_ERROR(check_inputs(a, b));
  if (data.size() != a.inputs.size()) {
    return Status::invalid_argument(
        fmt::format("the network has {} inputs, and there are samples for {}", a.inputs.size(), data.size()));
  }
  QuantizedPoints points;
  if (options.layers) {
    points = find_points(a, b);
    ZP_RETURN_IF_ERROR(check_points(points));
  }
  ForcedGraph forced = forced_graph(b, points.points);
  std::vector<Worker> workers;
  for (int i = 0; i < threads_or_all(options.threads); ++i) {
    ZP_ASSIGN_OR_RETURN(Worker worker, workers.empty() ? Worker::create(a, b, forced, points.points)
                                                       : workers.front().another());
    workers.push_back(std::move(worker));
  }
  // A part is the same samples whatever the number of threads, so that sums are formed in one order.
  std::int64_t fixed = std::max(fixed_batch(a).value_or(0), fixed_batch(b).value_or(0));
  std::int64_t at_once = fixed > 0 ? fixed : samples_at_once(a, points.points);
  ZP_ASSIGN_OR_RETURN(JointEpoch epoch,
                      JointEpoch::start(data, at_once * static_cast<std::int64_t>(workers.size())));
  Comparison comparison(a, b, *data[0], options);
  Team team(static_cast<int>(workers.size()));
  std::int64_t done = 0;
  while (true) {
    ZP_ASSIGN_OR_RETURN(std::vector<Batch> batches, epoch.next());
    if (batches.empty()) {
      return comparison.finish(points);
    }
    auto samples = static_cast<std::int64_t>(batches[0].indices.size());
    if (fixed > 0 && samples % fixed != 0) {
      return Status::invalid_argument(fmt::format(
          "the network takes batches of {} samples, and {} are no multiple", fixed, data[0]->size()));
    }
    auto range_of = [&](std::size_t part) {
      std::int64_t begin = static_cast<std::int64_t>(part) * at_once;
      return PartRange{begin, std::min(begin + at_once, samples)};
    };
    auto count = static_cast<std::size_t>((samples + at_once - 1) / at_once);
    std::vector<Part> parts(count);
    ZP_RETURN_IF_ERROR(run_in_parts(
        team, static_cast<std::int64_t>(count), "comparison", [&](std::size_t part, PartRange) -> Status {
          ZP_ASSIGN_OR_RETURN(parts[part], workers[part].run(inputs_of(batches, range_of(part))));
          return {};
        }));
    for (std::size_t part = 0; part < count; ++part) {
      ZP_RETURN_IF_ERROR(comparison.add(parts[part], labels_of(batches[0], range_of(part))));
    }
    done += samples;
    if (options.progress) {
      options.progress(done, data[0]->size());
    }
  }
}

}  // namespace zeropoint::toolchain
