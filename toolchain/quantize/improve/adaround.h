#pragma once

#include "quantize/improve/reconstruction.h"

namespace zeropoint::toolchain {

struct AdaRoundOptions {
  double damping = 0.1;  ///< what |W - Wq|^2 weighs, times the mean of H's diagonal
  int iterations = 1000;
  double learning_rate = 0.03;
  double lambda = 10;      ///< weight of the term that drives h to 0 or 1, per weight; see adaround()
  double beta_begin = 20;  ///< of |2 h - 1|^beta, falling to beta_end along a cosine
  double beta_end = 2;
  double warm_up = 0.2;  ///< share of the iterations without that term
};

/// AdaRound (Nagel et al. 2020, arXiv:2004.10568): each weight w is rounded down or up, whichever makes the
/// result of its layer best. Minimizes, by Adam over V,
///     E |W x - Wq xq|^2 + lambda sum (1 - |2 h(V) - 1|^beta),    Wq = s clamp(floor(W / s) + h(V))
/// with h(V) = clamp(1.2 sigmoid(V) - 0.1, 0, 1), started where Wq = W. The expectation is over all samples
/// at once, by its moments (the function after the layer is left out, which costs little by table 4 there),
/// so that nothing is drawn at random. As samples are few beside weights, `damping` keeps what they say
/// nothing of near W (a ridge: H + dI, c + dW). Each row's error is divided by that of rounding to the
/// nearest, times the number of its weights, so that lambda means the same in every network. At the end
/// single weights go one integer up or down while that lowers a row's error, and a row that rounding to the
/// nearest leaves with less keeps that.
Result<MatrixF> adaround(const RoundingProblem& problem, const AdaRoundOptions& options, Team& team);

}  // namespace zeropoint::toolchain
