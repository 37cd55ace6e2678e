#include "quantize/improve/smooth_quant.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "parallel/split_batch.h"
#include "quantize/improve/channel_divider.h"
#include "quantize/improve/layer_in_double.h"
#include "quantize/improve/layer_sample.h"
#include "quantize/node_role.h"
#include "zeropoint/affine.h"

namespace zeropoint::toolchain {
namespace {

constexpr int kAlphas = 21;           // 0, 0.05, ... 1
constexpr double kWorthIt = 0.9;      // of the error without
constexpr Eigen::Index kRows = 2048;  // of x, to try alphas on

/// Each element as its 8-bit quantization represents it: one range for all, 0 in it.
MatrixF rounded_inputs(const MatrixF& x) {
  Result<QuantParams> params = choose_params(x.minCoeff(), x.maxCoeff(), {8, false});
  if (!params.ok()) {
    return x;
  }
  return x.unaryExpr([&](float v) { return dequantize(quantize(v, *params, {0, 255}), *params); });
}

/// The same for weights [rows, columns], one scale per row, symmetric.
MatrixF rounded_weights(MatrixF weights) {
  for (Eigen::Index row = 0; row < weights.rows(); ++row) {
    QuantParams params{std::max(weights.row(row).cwiseAbs().maxCoeff(), kWeightAbsMaxFloor) / 127, 0};
    for (float& w : weights.row(row)) {
      w = dequantize(quantize(w, params, {-128, 127}), params);
    }
  }
  return weights;
}

MatrixF matrix_of(const Graph& graph, const Node& layer) {
  LayerInDouble in_double = LayerInDouble::of(graph, layer);
  MatrixF weights(in_double.rows.rows(), in_double.rows.columns());
  in_double.for_each([&](std::size_t row, std::size_t column, double weight) {
    weights(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(column)) = static_cast<float>(weight);
  });
  return weights;
}

/// One tensor and the products that read it.
struct Products {
  MatrixF x;                     // [rows, channels]
  std::vector<MatrixF> weights;  // [out, channels]

  /// The squared error of all products with x / s and W s in 8 bits.
  [[nodiscard]] double error(const Eigen::RowVectorXf& s) const {
    MatrixF inputs = rounded_inputs(x.array().rowwise() / s.array());
    double sum = 0;
    for (const MatrixF& w : weights) {
      MatrixF scaled = rounded_weights(w.array().rowwise() * s.array());
      MatrixF wanted(x.rows(), w.rows());
      MatrixF got(x.rows(), w.rows());
      MatrixF w_columns = w.transpose();
      MatrixF scaled_columns = scaled.transpose();
      multiply(x, Transposed::kNo, w_columns, wanted);
      multiply(inputs, Transposed::kNo, scaled_columns, got);
      sum += (wanted - got).cast<double>().squaredNorm();
    }
    return sum;
  }

  /// s for alpha; 1 where a channel or its weights are all 0. Scaled to a geometric mean of 1, which changes
  /// nothing and keeps numbers in their range.
  [[nodiscard]] Eigen::RowVectorXf factors(double alpha) const {
    Eigen::RowVectorXf factors(x.cols());
    double logs = 0;
    for (Eigen::Index j = 0; j < x.cols(); ++j) {
      double inputs = x.col(j).cwiseAbs().maxCoeff();
      double largest = 0;
      for (const MatrixF& w : weights) {
        largest = std::max<double>(largest, w.col(j).cwiseAbs().maxCoeff());
      }
      double s = inputs > 0 && largest > 0 ? std::pow(inputs, alpha) / std::pow(largest, 1 - alpha) : 1;
      factors[j] = static_cast<float>(s);
      logs += std::log(s);
    }
    return factors * static_cast<float>(std::exp(-logs / static_cast<double>(x.cols())));
  }
};

class Smoother {
 public:
  Smoother(Graph& graph, const SampleChunks& samples, Team& team)
      : graph_(graph), original_(graph), samples_(samples), team_(team), divider_(graph) {}

  Result<std::vector<LayerNote>> run() {
    std::vector<std::vector<std::int32_t>> readers = consumers(graph_);
    LayerWalk walk(original_, samples_, team_);
    std::vector<LayerNote> notes;
    std::map<ValueId, bool> seen;
    for (const Node& node : graph_.nodes) {
      if (!is_product(node) || !seen.emplace(node.inputs[0], true).second) {
        continue;
      }
      ValueId input = node.inputs[0];
      std::vector<const Node*> products;
      std::string why = divider_.why_not(graph_, input);
      for (std::int32_t reader : readers[static_cast<std::size_t>(input)]) {
        const Node& product = graph_.nodes[static_cast<std::size_t>(reader)];
        bool shared = !is_product(product) || product.inputs[0] != input ||
                      readers[static_cast<std::size_t>(product.inputs[1])].size() != 1;
        why = shared && why.empty() ? "its input, or its weights, are read elsewhere too" : why;
        products.push_back(&product);
      }
      if (std::count(graph_.outputs.begin(), graph_.outputs.end(), input) > 0 && why.empty()) {
        why = "its input leaves the graph";
      }
      if (!why.empty()) {
        notes.push_back({describe(node), false, std::move(why)});
        continue;
      }
      ZP_ASSIGN_OR_RETURN(LayerNote note, improve(input, products, walk));
      notes.push_back(std::move(note));
    }
    return notes;
  }

 private:
  [[nodiscard]] bool is_product(const Node& node) const {
    return (node.op == Op::kGemm || node.op == Op::kMatMul) &&
           role_of(graph_, node).kind == NodeRole::Kind::kLayer && graph_.constant(node, 1)->rank() == 2;
  }

  Result<LayerNote> improve(ValueId input, const std::vector<const Node*>& nodes, LayerWalk& walk) {
    ZP_ASSIGN_OR_RETURN(std::vector<MatrixF> sample,
                        sample_layer(original_, *nodes[0], original_, input, walk, 0));
    Products products;
    products.x = sample[0].topRows(std::min(kRows, sample[0].rows()));
    for (const Node* node : nodes) {
      products.weights.push_back(matrix_of(graph_, *node));
    }
    std::vector<double> errors(kAlphas);
    ZP_RETURN_IF_ERROR(run_in_parts(team_, kAlphas, "SmoothQuant", [&](std::size_t, PartRange range) {
      for (std::int64_t i = range.begin; i < range.end; ++i) {
        errors[static_cast<std::size_t>(i)] =
            products.error(products.factors(static_cast<double>(i) / (kAlphas - 1)));
      }
      return Status();
    }));
    double plain = products.error(Eigen::RowVectorXf::Ones(products.x.cols()));
    auto best = std::min_element(errors.begin(), errors.end());
    if (!(*best < kWorthIt * plain)) {
      return LayerNote{describe(*nodes[0]), false, "its channels are even enough"};
    }
    double alpha = static_cast<double>(best - errors.begin()) / (kAlphas - 1);
    Eigen::RowVectorXf factors = products.factors(alpha);
    divider_.divide(graph_, input, {factors.begin(), factors.end()});
    for (const Node* node : nodes) {
      LayerInDouble layer = LayerInDouble::of(graph_, *node);
      layer.for_each([&](std::size_t, std::size_t channel, double& weight) {
        weight *= static_cast<double>(factors[static_cast<Eigen::Index>(channel)]);
      });
      layer.write(graph_, *node);
    }
    return LayerNote{
        describe(*nodes[0]), true,
        fmt::format("alpha {:.2f}, channels divided by {:.3g} to {:.3g}: error {:.3g} of what it was", alpha,
                    factors.minCoeff(), factors.maxCoeff(), *best / plain)};
  }

  Graph& graph_;
  const Graph original_;
  const SampleChunks& samples_;
  Team& team_;
  ChannelDivider divider_;
};

}  // namespace

Result<std::vector<LayerNote>> smooth(Graph& graph, const SampleChunks& samples, Team& team) {
  return Smoother(graph, samples, team).run();
}

}  // namespace zeropoint::toolchain
