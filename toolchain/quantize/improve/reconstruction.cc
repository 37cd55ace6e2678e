#include "quantize/improve/reconstruction.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "parallel/split_batch.h"
#include "quantize/improve/layer_rows.h"
#include "quantize/improve/layer_sample.h"
#include "quantize/improve/quantized_layers.h"

namespace zeropoint::toolchain {
namespace {

/// Rows that are rounded by one task: few enough to give every thread some, many enough for matrix products.
constexpr Eigen::Index kRows = 32;

/// Subtracts the mean of each column, and gives it.
Eigen::VectorXd center(MatrixF& rows) {
  Eigen::VectorXd mean = rows.cast<double>().colwise().mean().transpose();
  rows.rowwise() -= mean.cast<float>().transpose();
  return mean;
}

class Reconstruction {
 public:
  Reconstruction(Graph& graph, const QuantPlan& plan, const SampleChunks& samples, Team& team,
                 const ReconstructionOptions& options, const Rounder& round)
      : graph_(graph),
        original_(graph),
        plan_(plan),
        samples_(samples),
        team_(team),
        options_(options),
        round_(round) {}

  Result<std::vector<LayerNote>> run() {
    ZP_ASSIGN_OR_RETURN(quantized_, apply_plan(graph_, plan_));
    LayerWalk floats(original_, samples_, team_);
    LayerWalk quantized(quantized_, samples_, team_);
    std::vector<QuantizedLayer> layers = quantized_layers(graph_, quantized_, plan_);
    std::int64_t total = 0;
    for (const QuantizedLayer& layer : layers) {
      total += graph_.constant(graph_.nodes[layer.node], 1)->size();
    }
    std::vector<LayerNote> notes;
    std::int64_t done = 0;
    for (const QuantizedLayer& layer : layers) {
      Result<LayerNote> note = improve(layer, floats, quantized);
      ZP_RETURN_IF_ERROR(note.status().at(describe(graph_.nodes[layer.node])));
      notes.push_back(*std::move(note));
      done += graph_.constant(graph_.nodes[layer.node], 1)->size();
      if (options_.progress) {
        options_.progress(done, total);
      }
      if (options_.stop && options_.stop()) {
        return Status(StatusCode::kIo,
                      fmt::format("stopped after {} of {} layers", notes.size(), layers.size()));
      }
    }
    return notes;
  }

 private:
  Result<LayerNote> improve(const QuantizedLayer& layer, LayerWalk& floats, LayerWalk& quantized) {
    const Node& node = graph_.nodes[layer.node];
    if (std::string why = why_not(layer); !why.empty()) {
      return LayerNote{describe(node), false, why};
    }
    const Node& copy = quantized_.nodes[layer.quantized];
    ZP_ASSIGN_OR_RETURN(std::vector<MatrixF> inputs,
                        sample_layer(graph_, node, quantized_, copy.inputs[0], quantized, options_.seed));
    std::vector<MatrixF> real_inputs;
    if (options_.asymmetric) {
      ZP_ASSIGN_OR_RETURN(real_inputs,
                          sample_layer(graph_, node, original_, node.inputs[0], floats, options_.seed));
    }
    WeightRows rows = WeightRows::of(graph_, node);
    Tensor integers(layer.weights->type.storage(), graph_.constant(node, 1)->shape());
    std::vector<double> shift;
    double before = 0;
    double after = 0;
    double power = 0;
    for (std::int64_t group = 0; group < rows.groups(); ++group) {
      auto g = static_cast<std::size_t>(group);
      ZP_ASSIGN_OR_RETURN(RoundingProblem problem, problem_of(layer, group));
      MatrixF targets(inputs[g].rows(), problem.weights.rows());
      multiply(options_.asymmetric ? real_inputs[g] : inputs[g], Transposed::kNo, problem.weights.transpose(),
               targets);
      Eigen::VectorXd input_mean = Eigen::VectorXd::Zero(inputs[g].cols());
      Eigen::VectorXd target_mean = Eigen::VectorXd::Zero(targets.cols());
      if (node.has_input(2)) {
        input_mean = center(inputs[g]);
        target_mean = center(targets);
      }
      ZP_ASSIGN_OR_RETURN(problem.moments, moments(inputs[g], inputs[g], team_));
      ZP_ASSIGN_OR_RETURN(problem.cross, moments(inputs[g], targets, team_));
      problem.power = targets.cast<double>().colwise().squaredNorm().transpose() /
                      static_cast<double>(std::max<Eigen::Index>(targets.rows(), 1));
      ZP_ASSIGN_OR_RETURN(MatrixF rounded, round_(problem, team_));
      before += problem.errors(problem.nearest()).sum();
      after += problem.errors(rounded).sum();
      power += problem.power.sum();
      store(rounded + problem.zeros, rows, group, integers);
      Eigen::VectorXd moved = target_mean - rounded.cwiseProduct(problem.steps).cast<double>() * input_mean;
      shift.insert(shift.end(), moved.begin(), moved.end());
    }
    ZP_RETURN_IF_ERROR(set_weights(graph_, quantized_, layer, integers));
    bool fits = true;
    if (node.has_input(2)) {
      ZP_ASSIGN_OR_RETURN(fits, shift_bias(graph_, quantized_, layer, shift));
    }
    return LayerNote{
        describe(node), true,
        fmt::format("error of its result {:.3g} of its power, {:.3g} if rounded to the nearest{}",
                    after / power, before / power,
                    fits ? "" : "; its mean stays, as the bias would leave int32")};
  }

  [[nodiscard]] std::string why_not(const QuantizedLayer& layer) const {
    const Node& node = graph_.nodes[layer.node];
    Status status = LayerRows::of(graph_, node).status();
    return status.ok() ? "" : status.message();
  }

  /// The weights of a group and what they may become.
  Result<RoundingProblem> problem_of(const QuantizedLayer& layer, std::int64_t group) const {
    const Node& node = graph_.nodes[layer.node];
    const Tensor& weights = *graph_.constant(node, 1);
    WeightRows rows = WeightRows::of(graph_, node);
    ZP_ASSIGN_OR_RETURN(ParamsLayout layout,
                        ParamsLayout::of(weights.shape(), layer.weights->params.granularity));
    RoundingProblem problem;
    ZP_ASSIGN_OR_RETURN(problem.range, layer.weights->type.range());
    problem.weights.resize(rows.rows_per_group(), rows.columns());
    problem.steps.resize(rows.rows_per_group(), rows.columns());
    problem.zeros.resize(rows.rows_per_group(), rows.columns());
    for (std::int64_t row = 0; row < rows.rows_per_group(); ++row) {
      for (std::int64_t column = 0; column < rows.columns(); ++column) {
        std::size_t at = rows.element(group * rows.rows_per_group() + row, column);
        problem.weights(row, column) = weights.data<float>()[at];
        auto index = static_cast<std::size_t>(layout.index_of(static_cast<std::int64_t>(at)));
        QuantParams params = layer.weights->params.params[index];
        problem.steps(row, column) = params.scale;
        problem.zeros(row, column) = static_cast<float>(params.zero_point);
      }
    }
    return problem;
  }

  static void store(const MatrixF& rounded, const WeightRows& rows, std::int64_t group, Tensor& integers) {
    visit_integer(integers.type(), [&](auto element) {
      using T = decltype(element);
      for (std::int64_t row = 0; row < rows.rows_per_group(); ++row) {
        for (std::int64_t column = 0; column < rows.columns(); ++column) {
          integers.data<T>()[rows.element(group * rows.rows_per_group() + row, column)] =
              static_cast<T>(rounded(row, column));
        }
      }
    });
  }

  Graph& graph_;
  const Graph original_;
  const QuantPlan& plan_;
  const SampleChunks& samples_;
  Team& team_;
  const ReconstructionOptions& options_;
  const Rounder& round_;
  Graph quantized_;
};

}  // namespace

Eigen::VectorXd RoundingProblem::errors(const MatrixF& integers) const {
  MatrixD weights_now = integers.cwiseProduct(steps).cast<double>();
  MatrixD products = weights_now * moments - 2 * cross.transpose();
  return products.cwiseProduct(weights_now).rowwise().sum() + power;
}

MatrixF RoundingProblem::nearest() const {
  MatrixF integers(weights.rows(), weights.cols());
  for (Eigen::Index i = 0; i < weights.size(); ++i) {
    integers.data()[i] = nearest(weights.data()[i], i / weights.cols(), i % weights.cols());
  }
  return integers;
}

Status in_row_blocks(Eigen::Index rows, Team& team,
                     const std::function<Status(Eigen::Index first, Eigen::Index count)>& some) {
  return run_in_parts(team, (rows + kRows - 1) / kRows, "reconstruction",
                      [&](std::size_t /*part*/, PartRange blocks) -> Status {
                        for (Eigen::Index block = blocks.begin; block < blocks.end; ++block) {
                          ZP_RETURN_IF_ERROR(some(block * kRows, std::min(kRows, rows - block * kRows)));
                        }
                        return {};
                      });
}

Result<std::vector<LayerNote>> reconstruct(Graph& graph, const QuantPlan& plan, const SampleChunks& samples,
                                           Team& team, const ReconstructionOptions& options,
                                           const Rounder& round) {
  return Reconstruction(graph, plan, samples, team, options, round).run();
}

}  // namespace zeropoint::toolchain
