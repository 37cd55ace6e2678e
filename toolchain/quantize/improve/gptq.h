#pragma once

#include <vector>

#include "quantize/improve/reconstruction.h"

namespace zeropoint::toolchain {

struct GptqOptions {
  double damping = 0.01;  ///< added to the diagonal of H, times its mean
  bool act_order = true;  ///< columns with the largest inputs first; groups of them where groups have scales
  /// Starts from the reals that make up best for inputs that are not the float network's, W + (H +
  /// damping)^-1 (c - H W), instead of from W.
  bool asymmetric = false;
};

/// GPTQ (Frantar et al. 2022, arXiv:2210.17323): columns are rounded to the nearest one after another, and
/// the error of each is made up for by those that are still to come:
///     W[:, j] -= (W[:, i] - Wq[:, i]) / U[i, i] * U[i, j]   for j > i,   U'U = (H + damping I)^-1
/// U being the upper Cholesky factor. Inputs that are always 0 leave their weights to the nearest.
class Gptq {
 public:
  /// Everything that steps do not change. kInvalidArgument for damping that is not positive.
  static Result<Gptq> create(const RoundingProblem& problem, const GptqOptions& options);

  /// Integers for these steps. Where the problem has groups whose scales may change, each group gets those
  /// that suit its weights as they are when its turn comes (section 4.3 there), in `problem`.
  Result<MatrixF> round(RoundingProblem& problem, Team& team) const;

 private:
  Gptq() = default;

  std::vector<Eigen::Index> order_;  // of the columns
  MatrixD upper_;                    // U, in that order
  MatrixD start_;                    // the weights, in that order
};

/// Both in one.
Result<MatrixF> gptq(RoundingProblem& problem, const GptqOptions& options, Team& team);

}  // namespace zeropoint::toolchain
