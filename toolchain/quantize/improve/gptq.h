#pragma once

#include "quantize/improve/reconstruction.h"

namespace zeropoint::toolchain {

struct GptqOptions {
  double damping = 0.01;  ///< added to the diagonal of H, times its mean
  bool act_order = true;  ///< columns with the largest inputs first
  /// Starts from the reals that answer inputs best which are not the float network's, W + (H + damping I)^-1
  /// (c - H W), instead of from W: asymmetric calibration (GPTAQ, Li et al. 2025, arXiv:2504.02692).
  bool asymmetric = false;
};

/// GPTQ (Frantar et al. 2022, arXiv:2210.17323): columns are rounded to the nearest one after another, and
/// the error of each is made up for by those that are still to come:
///     W[:, j] -= (W[:, i] - Wq[:, i]) / U[i, i] * U[i, j]   for j > i,   U'U = (H + damping I)^-1
/// U being the upper Cholesky factor. Inputs that are always 0 leave their weights to the nearest.
/// kInvalidArgument for damping that is not positive.
Result<MatrixF> gptq(const RoundingProblem& problem, const GptqOptions& options, Team& team);

}  // namespace zeropoint::toolchain
