#pragma once

#include "quantize/improve/reconstruction.h"

namespace zeropoint::toolchain {

/// Gives each row of a problem whose scales may change the step at which it can be rounded best: of those
/// from half the given one up to it, the one at which the row's error is least after rounding by GPTQ, which
/// stands for what AdaRound will do at a fraction of its time. A narrower range cuts weights off, and their
/// errors count by what they do to the result, not by themselves.
Status choose_row_steps(RoundingProblem& problem, Team& team);

}  // namespace zeropoint::toolchain
