#pragma once

#include <map>
#include <vector>

#include "quantize/improve/sample_chunks.h"

namespace zeropoint::toolchain {

/// Runs a graph over samples piece by piece, so that constants of a layer can be changed once all that comes
/// before it has been computed, and no node is computed twice. Between the pieces only values that something
/// still reads are held; of those that a DequantizeLinear makes, its integers. Used by one thread.
class LayerWalk {
 public:
  /// Starts at the inputs of `graph`, whose nodes and ids must stay as they are from here on; constants may
  /// change. `samples` and `team` must outlive the walk.
  LayerWalk(const Graph& graph, const SampleChunks& samples, Team& team);

  [[nodiscard]] std::size_t chunks() const { return chunks_; }

  /// Shows `value` for each chunk, computed from what is held and the constants of `graph`.
  Status observe(const Graph& graph, ValueId value, const SeeChunk& see);
  /// Computes `value` for each chunk, holds it, and forgets what nothing behind it reads.
  Status advance(const Graph& graph, ValueId value);

 private:
  struct Piece {
    Graph graph;
    std::vector<const std::vector<Tensor>*> inputs;
    std::vector<bool> done;  ///< per node: in the piece
  };
  /// What computes `value` from what is held; without nodes where it is held itself.
  [[nodiscard]] Piece piece_for(const Graph& graph, ValueId value) const;
  /// The value to hold for `value`.
  [[nodiscard]] ValueId held_for(const Graph& graph, ValueId value) const;
  void forget(const Graph& graph);

  std::vector<std::int32_t> producers_;
  std::vector<std::vector<std::int32_t>> consumers_;
  std::size_t chunks_;
  Team& team_;
  std::map<ValueId, std::vector<Tensor>> computed_;
  std::map<ValueId, const std::vector<Tensor>*> held_;  ///< the inputs' own, and those in computed_
};

}  // namespace zeropoint::toolchain
