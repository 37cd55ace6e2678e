#include "quantize/improve/gptq.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <numeric>

#include "quantize/plan_float_layers.h"

namespace zeropoint::toolchain {
namespace {

using Columns = std::vector<Eigen::Index>;

/// Columns in the order in which they are rounded: those of a group that has a scale of its own stay
/// together.
Columns order_of(const RoundingProblem& problem, bool act_order) {
  Columns order(static_cast<std::size_t>(problem.moments.rows()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  if (!act_order) {
    return order;
  }
  Eigen::VectorXd power = problem.moments.diagonal();
  Eigen::Index group = problem.scales_may_change && problem.group > 0 ? problem.group : 1;
  std::vector<double> group_power(static_cast<std::size_t>((power.size() + group - 1) / group));
  for (Eigen::Index i = 0; i < power.size(); ++i) {
    group_power[static_cast<std::size_t>(i / group)] += power[i];
  }
  std::stable_sort(order.begin(), order.end(), [&](Eigen::Index a, Eigen::Index b) {
    double of_a = group_power[static_cast<std::size_t>(a / group)];
    double of_b = group_power[static_cast<std::size_t>(b / group)];
    return of_a != of_b ? of_a > of_b : a / group == b / group ? power[a] > power[b] : a / group < b / group;
  });
  return order;
}

MatrixD damped(const MatrixD& moments, const Columns& order, double damping) {
  Eigen::Index n = moments.rows();
  double added = damping * moments.diagonal().mean();
  MatrixD result(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      result(i, j) = moments(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
    }
    result(i, i) += result(i, i) == 0 ? std::max(added, 1.0) : added;
  }
  return result;
}

/// The zero point and the scale that suit the weights of columns [first, end) of a row best, as they are now.
Status fit_group(RoundingProblem& problem, Eigen::Index row, const Eigen::RowVectorXd& weights,
                 const Columns& order, Eigen::Index first, Eigen::Index end) {
  std::vector<float> now;
  for (Eigen::Index i = first; i < end; ++i) {
    now.push_back(static_cast<float>(weights[i]));
  }
  ZP_ASSIGN_OR_RETURN(QuantParams params, params_of_group(now, problem.type));
  for (Eigen::Index i = first; i < end; ++i) {
    problem.steps(row, order[static_cast<std::size_t>(i)]) = params.scale;
    problem.zeros(row, order[static_cast<std::size_t>(i)]) = static_cast<float>(params.zero_point);
  }
  return {};
}

}  // namespace

Result<Gptq> Gptq::create(const RoundingProblem& problem, const GptqOptions& options) {
  if (!(options.damping > 0)) {
    return Status::invalid_argument("the damping of GPTQ must be positive");
  }
  Gptq gptq;
  gptq.order_ = order_of(problem, options.act_order);
  Eigen::Index n = problem.moments.rows();
  MatrixD moments = damped(problem.moments, gptq.order_, options.damping);
  Eigen::LLT<MatrixD> direct(moments);
  MatrixD inverse = direct.solve(MatrixD::Identity(n, n));
  Eigen::LLT<MatrixD, Eigen::Upper> upper(inverse);
  if (direct.info() != Eigen::Success || upper.info() != Eigen::Success) {
    return Status::invalid_argument("the moments of its inputs have no Cholesky factor; raise the damping");
  }
  gptq.upper_ = upper.matrixU();
  MatrixD weights = problem.weights.cast<double>();
  MatrixD missing;
  if (options.asymmetric) {
    missing = (problem.cross - problem.moments * weights.transpose()).transpose();
  }
  auto in_order = [&](const MatrixD& columns) {
    MatrixD result(columns.rows(), n);
    for (Eigen::Index i = 0; i < n; ++i) {
      result.col(i) = columns.col(gptq.order_[static_cast<std::size_t>(i)]);
    }
    return result;
  };
  gptq.start_ = in_order(weights);
  if (options.asymmetric) {
    gptq.start_ += direct.solve(in_order(missing).transpose()).transpose();
  }
  return gptq;
}

Result<MatrixF> Gptq::round(RoundingProblem& problem, Team& team) const {
  MatrixF result(start_.rows(), start_.cols());
  bool fits_groups = problem.scales_may_change && problem.group > 0;
  auto some = [&](Eigen::Index first, Eigen::Index count) -> Status {
    for (Eigen::Index row = first; row < first + count; ++row) {
      Eigen::RowVectorXd weights = start_.row(row);
      Eigen::Index group_end = 0;
      for (Eigen::Index i = 0; i < weights.size(); ++i) {
        Eigen::Index column = order_[static_cast<std::size_t>(i)];
        if (fits_groups && i == group_end) {
          Eigen::Index begin = column / problem.group * problem.group;
          group_end = i + std::min(problem.group, weights.size() - begin);
          ZP_RETURN_IF_ERROR(fit_group(problem, row, weights, order_, i, group_end));
        }
        float step = problem.steps(row, column);
        float integer = problem.nearest(static_cast<float>(weights[i]), row, column);
        result(row, column) = integer;
        double error = (weights[i] - static_cast<double>(integer) * step) / upper_(i, i);
        Eigen::Index rest = weights.size() - i - 1;
        weights.tail(rest) -= error * upper_.row(i).tail(rest);
      }
    }
    return {};
  };
  ZP_RETURN_IF_ERROR(in_row_blocks(result.rows(), team, some));
  return result;
}

Result<MatrixF> gptq(RoundingProblem& problem, const GptqOptions& options, Team& team) {
  ZP_ASSIGN_OR_RETURN(Gptq solver, Gptq::create(problem, options));
  return solver.round(problem, team);
}

}  // namespace zeropoint::toolchain
