#pragma once

#include <functional>

#include "quantize/improve/layer_note.h"
#include "quantize/improve/matrix.h"
#include "quantize/improve/sample_chunks.h"
#include "zeropoint/affine.h"
#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

/// Which integers should the weights of one group of a layer become, so that its result stays what it was:
///     minimize  E |W x - Wq xq|^2 = sum over rows of  wq' H wq - 2 wq' c + power
/// where x is the float network's input of the layer and xq the quantized network's.
struct RoundingProblem {
  MatrixF weights;        ///< W [rows, columns]
  MatrixF steps;          ///< the scale of each weight; wq = step * integer
  QuantizedRange range;   ///< of the integers where the zero point is 0
  MatrixF zeros;          ///< the zero point of each weight, which its range is lower by; empty: all 0
  MatrixD moments;        ///< H = E xq xq' [columns, columns]
  MatrixD cross;          ///< E xq (W x)' [columns, rows]
  Eigen::VectorXd power;  ///< E (W x)^2 per row

  /// The integer nearest to `weight` at that place.
  [[nodiscard]] float nearest(float weight, Eigen::Index row, Eigen::Index column) const {
    auto zero = static_cast<std::int64_t>(zero_at(row, column));
    return static_cast<float>(quantize(weight, {steps(row, column), zero}, range) - zero);
  }
  [[nodiscard]] float zero_at(Eigen::Index row, Eigen::Index column) const {
    return zeros.size() == 0 ? 0.0F : zeros(row, column);
  }

  /// The quantity to be minimized, per row.
  [[nodiscard]] Eigen::VectorXd errors(const MatrixF& integers) const;
  /// Each weight rounded to the nearest integer.
  [[nodiscard]] MatrixF nearest() const;
};

/// Integers for a problem, [rows, columns].
using Rounder = std::function<Result<MatrixF>(const RoundingProblem& problem, Team& team)>;

/// Calls `some` for a few rows of [0, rows) at a time, cut in a way that does not depend on the team: rows of
/// a problem have nothing to do with each other.
Status in_row_blocks(Eigen::Index rows, Team& team,
                     const std::function<Status(Eigen::Index first, Eigen::Index count)>& some);

struct ReconstructionOptions {
  /// Whether W x is of the float network's x, or of xq, so that only the layer's own error counts.
  bool asymmetric = true;
  std::uint64_t seed = 0;  ///< of the rows that stand for a layer's inputs where they are too many
  std::function<void(std::int64_t done, std::int64_t total)> progress;  ///< in weights
  std::function<bool()> stop;  ///< asked after each layer: true ends the work with an error
};

/// Gives the weights of every Conv, Gemm and MatMul that the plan quantizes the integers of `round`, layer by
/// layer, each seeing the inputs that the quantized layers before it give. Where a layer has a bias, errors
/// are counted without their mean, which is then taken out by the bias. The graph's constants become the
/// reals of these integers, so that plain quantization by the plan gives them again. The bits do not depend
/// on the size of the team.
Result<std::vector<LayerNote>> reconstruct(Graph& graph, const QuantPlan& plan, const SampleChunks& samples,
                                           Team& team, const ReconstructionOptions& options,
                                           const Rounder& round);

}  // namespace zeropoint::toolchain
