#include "quantize/improve/adaround.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "zeropoint/toolchain/optimizer.h"

namespace zeropoint::toolchain {
namespace {

// h(V) = clamp(kStretch sigmoid(V) + kLow, 0, 1): reaches 0 and 1, and has a slope near them (section 3).
constexpr float kHigh = 1.1F;
constexpr float kLow = -0.1F;
constexpr float kStretch = kHigh - kLow;

/// A few rows of a problem.
class Rows {
 public:
  Rows(const RoundingProblem& problem, const MatrixF& moments, Eigen::Index first, Eigen::Index count)
      : problem_(problem),
        first_(first),
        moments_(moments),
        cross_(problem.cross.middleCols(first, count).transpose().cast<float>()),
        steps_(problem.steps.middleRows(first, count)),
        below_(count, problem.weights.cols()),
        share_(count, problem.weights.cols()) {
    MatrixF scaled = problem.weights.middleRows(first, count).cwiseQuotient(steps_);
    for (Eigen::Index i = 0; i < scaled.size(); ++i) {
      float zero = problem.zero_at(first + i / scaled.cols(), i % scaled.cols());
      float low = static_cast<float>(problem.range.q_min) - zero;
      float high = static_cast<float>(problem.range.q_max) - zero;
      float w = std::clamp(scaled.data()[i], low, high);
      // The topmost integer is reached from below, so that every weight has two sides.
      below_.data()[i] = std::min(std::floor(w), high - 1);
      share_.data()[i] = w - below_.data()[i];
    }
  }

  /// `unit` per row: what its error is divided by.
  Result<MatrixF> optimize(const AdaRoundOptions& options, const Eigen::VectorXf& unit) {
    Shape shape{below_.rows(), below_.cols()};
    Parameter v{"v", kNoValue, Tensor(ElementType::kFloat32, shape), Tensor(ElementType::kFloat32, shape)};
    for (Eigen::Index i = 0; i < share_.size(); ++i) {
      float sigmoid = (share_.data()[i] - kLow) / kStretch;
      v.data.data<float>()[static_cast<std::size_t>(i)] = std::log(sigmoid / (1 - sigmoid));
    }
    ZP_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> adam, make_adam({}));
    auto begin = static_cast<int>(options.warm_up * options.iterations);
    MatrixF residual(below_.rows(), below_.cols());
    for (int i = 0; i < options.iterations; ++i) {
      double progress = static_cast<double>(i - begin) / std::max(1, options.iterations - begin);
      double beta = options.beta_end + (options.beta_begin - options.beta_end) / 2 *
                                           (1 + std::cos(std::max(progress, 0.0) * std::numbers::pi));
      soften(v.data.data<float>());
      multiply((below_ + share_).cwiseProduct(steps_), Transposed::kNo, moments_, residual);
      residual -= cross_;
      gradient(v, residual, unit, i < begin ? 0.0F : static_cast<float>(options.lambda),
               static_cast<float>(beta));
      ZP_RETURN_IF_ERROR(adam->step({&v, 1}, options.learning_rate));
    }
    soften(v.data.data<float>());
    return MatrixF(below_ + (share_.array() >= 0.5F).cast<float>().matrix());
  }

  /// Lets single weights go one integer further, beyond their two sides if need be, while that lowers the
  /// error.
  void settle(MatrixF& integers) const {
    constexpr int kMostRounds = 20;
    auto low = static_cast<float>(problem_.range.q_min);
    auto high = static_cast<float>(problem_.range.q_max);
    MatrixF residual(integers.rows(), integers.cols());
    multiply(integers.cwiseProduct(steps_), Transposed::kNo, moments_, residual);
    residual -= cross_;
    for (Eigen::Index row = 0; row < integers.rows(); ++row) {
      bool moved = true;
      for (int round = 0; moved && round < kMostRounds; ++round) {
        moved = false;
        for (Eigen::Index k = 0; k < integers.cols(); ++k) {
          // E(w + d) - E(w) = 2 d r + d^2 H: downhill is against r, and pays where that is far enough.
          float step = residual(row, k) > 0 ? -steps_(row, k) : steps_(row, k);
          float moved_to = integers(row, k) + (step > 0 ? 1.0F : -1.0F);
          float curvature = step * step * moments_(k, k);
          float q = moved_to + problem_.zero_at(first_ + row, k);
          bool allowed = q >= low && q <= high;
          // The margin is for what rounding of the sums could pretend.
          if (allowed && 2 * step * residual(row, k) + curvature < -1e-3F * curvature) {
            integers(row, k) = moved_to;
            residual.row(row) += step * moments_.row(k);
            moved = true;
          }
        }
      }
    }
  }

 private:
  /// share_ = h(V)
  void soften(std::span<const float> v) {
    for (Eigen::Index i = 0; i < share_.size(); ++i) {
      float sigmoid = 1 / (1 + std::exp(-v[static_cast<std::size_t>(i)]));
      share_.data()[i] = std::clamp(kStretch * sigmoid + kLow, 0.0F, 1.0F);
    }
  }

  void gradient(Parameter& v, const MatrixF& residual, const Eigen::VectorXf& unit, float lambda,
                float beta) const {
    std::span<float> gradient = v.gradient.data<float>();
    Eigen::Index i = 0;
    for (Eigen::Index row = 0; row < residual.rows(); ++row) {
      for (Eigen::Index column = 0; column < residual.cols(); ++column, ++i) {
        float h = share_.data()[i];
        if (h <= 0 || h >= 1) {
          gradient[static_cast<std::size_t>(i)] = 0;
          continue;
        }
        float sigmoid = (h - kLow) / kStretch;
        float slope = 2 * residual.data()[i] * steps_.data()[i] / unit[row];
        if (lambda > 0) {
          float x = 2 * h - 1;
          slope -= lambda * 2 * beta * std::copysign(std::pow(std::fabs(x), beta - 1), x);
        }
        gradient[static_cast<std::size_t>(i)] = slope * kStretch * sigmoid * (1 - sigmoid);
      }
    }
  }

  const RoundingProblem& problem_;
  Eigen::Index first_;
  const MatrixF& moments_;
  MatrixF cross_;
  MatrixF steps_;
  MatrixF below_;  // the integer below each weight
  MatrixF share_;  // of the way from it to the next, in [0, 1]
};

/// The problem with damping |W - Wq|^2 added to its errors.
RoundingProblem damped(RoundingProblem problem, double damping) {
  MatrixD weights = problem.weights.cast<double>();
  double added = damping * problem.moments.diagonal().mean();
  problem.moments.diagonal().array() += added;
  problem.cross += added * weights.transpose();
  problem.power += added * weights.rowwise().squaredNorm();
  return problem;
}

}  // namespace

Result<MatrixF> adaround(const RoundingProblem& asked, const AdaRoundOptions& options, Team& team) {
  RoundingProblem problem = damped(asked, options.damping);
  MatrixF moments = problem.moments.cast<float>();
  MatrixF nearest = problem.nearest();
  Eigen::VectorXd nearest_errors = problem.errors(nearest);
  auto columns = static_cast<double>(problem.weights.cols());
  // A row without error, or of inputs that are all 0, has nothing to gain.
  Eigen::VectorXf unit = (nearest_errors / columns).cwiseMax(std::numeric_limits<float>::min()).cast<float>();
  MatrixF result(nearest.rows(), nearest.cols());
  ZP_RETURN_IF_ERROR(
      in_row_blocks(nearest.rows(), team, [&](Eigen::Index first, Eigen::Index count) -> Status {
        Rows rows(problem, moments, first, count);
        ZP_ASSIGN_OR_RETURN(MatrixF integers, rows.optimize(options, unit.segment(first, count)));
        rows.settle(integers);
        result.middleRows(first, count) = integers;
        return {};
      }));
  Eigen::VectorXd better = asked.errors(nearest) - asked.errors(result);
  for (Eigen::Index row = 0; row < result.rows(); ++row) {
    if (!(better[row] > 0)) {
      result.row(row) = nearest.row(row);
    }
  }
  return result;
}

}  // namespace zeropoint::toolchain
