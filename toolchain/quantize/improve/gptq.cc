#include "quantize/improve/gptq.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <numeric>

namespace zeropoint::toolchain {
namespace {

/// Columns in the order in which they are rounded.
std::vector<Eigen::Index> order_of(const MatrixD& moments, bool act_order) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(moments.rows()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  if (act_order) {
    std::stable_sort(order.begin(), order.end(),
                     [&](Eigen::Index a, Eigen::Index b) { return moments(a, a) > moments(b, b); });
  }
  return order;
}

/// The damped moments in that order.
MatrixD damped(const MatrixD& moments, const std::vector<Eigen::Index>& order, double damping) {
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

MatrixD in_order(const MatrixD& columns, const std::vector<Eigen::Index>& order) {
  MatrixD result(columns.rows(), columns.cols());
  for (Eigen::Index i = 0; i < columns.cols(); ++i) {
    result.col(i) = columns.col(order[static_cast<std::size_t>(i)]);
  }
  return result;
}

}  // namespace

Result<MatrixF> gptq(const RoundingProblem& problem, const GptqOptions& options, Team& team) {
  if (!(options.damping > 0)) {
    return Status::invalid_argument("the damping of GPTQ must be positive");
  }
  std::vector<Eigen::Index> order = order_of(problem.moments, options.act_order);
  Eigen::Index n = problem.moments.rows();
  Eigen::LLT<MatrixD> direct(damped(problem.moments, order, options.damping));
  MatrixD inverse = direct.solve(MatrixD::Identity(n, n));
  Eigen::LLT<MatrixD, Eigen::Upper> inverse_factor(inverse);
  if (direct.info() != Eigen::Success || inverse_factor.info() != Eigen::Success) {
    return Status::invalid_argument("the moments of its inputs have no Cholesky factor; raise the damping");
  }
  MatrixD upper = inverse_factor.matrixU();
  MatrixD real_weights = problem.weights.cast<double>();
  MatrixD start = in_order(real_weights, order);
  if (options.asymmetric) {
    MatrixD missing = (problem.cross - problem.moments * real_weights.transpose()).transpose();
    start += direct.solve(in_order(missing, order).transpose()).transpose();
  }
  MatrixF result(problem.weights.rows(), problem.weights.cols());
  auto some = [&](Eigen::Index first, Eigen::Index count) -> Status {
    for (Eigen::Index row = first; row < first + count; ++row) {
      Eigen::RowVectorXd weights = start.row(row);
      for (Eigen::Index i = 0; i < weights.size(); ++i) {
        Eigen::Index column = order[static_cast<std::size_t>(i)];
        float step = problem.steps(row, column);
        float integer = problem.nearest(static_cast<float>(weights[i]), row, column);
        result(row, column) = integer;
        double error = (weights[i] - static_cast<double>(integer) * step) / upper(i, i);
        Eigen::Index rest = weights.size() - i - 1;
        weights.tail(rest) -= error * upper.row(i).tail(rest);
      }
    }
    return {};
  };
  ZP_RETURN_IF_ERROR(in_row_blocks(result.rows(), team, some));
  return result;
}

}  // namespace zeropoint::toolchain
