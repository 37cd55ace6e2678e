#include "quantize/improve/row_steps.h"

#include <algorithm>

#include "quantize/improve/gptq.h"

namespace zeropoint::toolchain {

Status choose_row_steps(RoundingProblem& problem, Team& team) {
  constexpr int kShares = 10;
  constexpr float kShare = 0.05F;
  if (!problem.scales_may_change || problem.group > 0) {
    return {};
  }
  ZP_ASSIGN_OR_RETURN(Gptq gptq, Gptq::create(problem, {.asymmetric = true}));
  const MatrixF given = problem.steps;
  MatrixF best = given;
  Eigen::VectorXd least;
  for (int share = 0; share < kShares; ++share) {
    float factor = 1 - kShare * static_cast<float>(share);
    for (Eigen::Index row = 0; row < given.rows(); ++row) {
      float step = std::max(given(row, 0) * factor, std::min(problem.least_steps[row], given(row, 0)));
      problem.steps.row(row).setConstant(step);
    }
    ZP_ASSIGN_OR_RETURN(MatrixF integers, gptq.round(problem, team));
    Eigen::VectorXd errors = problem.errors(integers);
    for (Eigen::Index row = 0; row < given.rows(); ++row) {
      if (share > 0 && errors[row] < least[row]) {
        least[row] = errors[row];
        best.row(row) = problem.steps.row(row);
      }
    }
    if (share == 0) {
      least = errors;
    }
  }
  problem.steps = best;
  return {};
}

}  // namespace zeropoint::toolchain
