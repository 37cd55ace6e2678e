#include "quantize/improve/layer_sample.h"

#include <algorithm>

#include "parallel/split_batch.h"
#include "quantize/improve/layer_rows.h"
#include "zeropoint/toolchain/random.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 25;  // of all rows of a layer
constexpr std::int64_t kMostRows = std::int64_t{1} << 16;

/// How many rows of `all` are worth keeping: as many as memory allows, but some for each weight of a row.
std::int64_t rows_to_keep(std::int64_t all, const WeightRows& weights) {
  std::int64_t wanted = std::clamp(kMostElements / (weights.groups() * weights.columns()),
                                   4 * weights.columns(), std::max(kMostRows, 4 * weights.columns()));
  return std::min(all, wanted);
}

std::vector<std::int64_t> draw(std::int64_t rows, double share, std::uint64_t seed, std::size_t chunk) {
  std::vector<std::int64_t> selected;
  Random random(seed, chunk);
  for (std::int64_t row = 0; row < rows; ++row) {
    if (share >= 1 || random.uniform() < share) {
      selected.push_back(row);
    }
  }
  return selected;
}

MatrixF stacked(const std::vector<std::vector<MatrixF>>& chunks, std::size_t group) {
  Eigen::Index rows = 0;
  for (const std::vector<MatrixF>& chunk : chunks) {
    rows += chunk[group].rows();
  }
  MatrixF all(rows, chunks[0][group].cols());
  rows = 0;
  for (const std::vector<MatrixF>& chunk : chunks) {
    all.middleRows(rows, chunk[group].rows()) = chunk[group];
    rows += chunk[group].rows();
  }
  return all;
}

}  // namespace

Result<std::vector<MatrixF>> sample_layer(const Graph& floats, const Node& layer, const Graph& graph,
                                          ValueId input, LayerWalk& walk, std::uint64_t seed) {
  ZP_ASSIGN_OR_RETURN(LayerRows rows, LayerRows::of(floats, layer));
  WeightRows weights = WeightRows::of(floats, layer);
  ZP_RETURN_IF_ERROR(walk.advance(graph, input));
  std::vector<std::vector<MatrixF>> gathered(walk.chunks());
  auto gather = [&](std::size_t chunk, ValueId /*value*/, const Tensor& tensor) -> Status {
    ZP_ASSIGN_OR_RETURN(std::int64_t count, rows.rows(tensor.shape()));
    std::int64_t all = count * static_cast<std::int64_t>(walk.chunks());
    double share = static_cast<double>(rows_to_keep(all, weights)) / static_cast<double>(all);
    std::vector<std::int64_t> selected = draw(count, share, seed, chunk);
    for (std::int64_t group = 0; group < weights.groups(); ++group) {
      ZP_ASSIGN_OR_RETURN(MatrixF some, rows.gather(tensor, selected, group));
      gathered[chunk].push_back(std::move(some));
    }
    return {};
  };
  ZP_RETURN_IF_ERROR(walk.observe(graph, input, gather));
  std::vector<MatrixF> sample;
  for (std::size_t group = 0; group < static_cast<std::size_t>(weights.groups()); ++group) {
    sample.push_back(stacked(gathered, group));
    for (std::vector<MatrixF>& chunk : gathered) {
      chunk[group] = MatrixF();
    }
  }
  return sample;
}

Result<MatrixD> moments(const MatrixF& a, const MatrixF& b, Team& team) {
  constexpr Eigen::Index kRows = 4096;    // summed in float
  constexpr Eigen::Index kColumns = 128;  // of a task
  MatrixD result = MatrixD::Zero(a.cols(), b.cols());
  Eigen::Index tasks = (b.cols() + kColumns - 1) / kColumns;
  auto some = [&](PartRange range) {
    for (Eigen::Index task = range.begin; task < range.end; ++task) {
      Eigen::Index column = task * kColumns;
      Eigen::Index columns = std::min(kColumns, b.cols() - column);
      MatrixF block(a.cols(), columns);
      for (Eigen::Index row = 0; row < a.rows(); row += kRows) {
        Eigen::Index rows = std::min(kRows, a.rows() - row);
        multiply(a.middleRows(row, rows), Transposed::kYes, b.block(row, column, rows, columns), block);
        result.middleCols(column, columns) += block.cast<double>();
      }
    }
    return Status();
  };
  ZP_RETURN_IF_ERROR(run_in_parts(team, tasks, "moments",
                                  [&](std::size_t /*part*/, PartRange range) { return some(range); }));
  result /= static_cast<double>(std::max<Eigen::Index>(a.rows(), 1));
  return result;
}

}  // namespace zeropoint::toolchain
