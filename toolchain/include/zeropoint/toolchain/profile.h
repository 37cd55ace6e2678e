#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// What one node costs for one run of the graph.
struct LayerProfile {
  std::string name;
  Op op;
  std::optional<Shape> output;     ///< of its first output; none where only a run can tell
  std::int64_t parameters = 0;     ///< elements of its trained constants that no node before it reads
  std::int64_t weights = 0;        ///< of these, matrices and kernels: what narrower types make smaller
  std::int64_t channels = 0;       ///< output channels of a layer with weights: one scale each
  std::int64_t multiply_adds = 0;  ///< multiplications each followed by an addition; biases not counted
  /// 2 per multiply-add (the bias takes the place of the first sum's missing addition), 1 per element of what
  /// is computed element by element, one comparison less than the window per element of a pool, ...; the
  /// list in report/node_cost.h says it for each operator.
  std::int64_t flops = 0;
  std::int64_t activations = 0;  ///< elements of the outputs
};

struct Profile {
  std::vector<LayerProfile> layers;
  std::int64_t parameters = 0;
  std::int64_t weights = 0;
  std::int64_t channels = 0;
  std::int64_t multiply_adds = 0;
  std::int64_t flops = 0;
  std::int64_t activations = 0;
  /// The most elements of activations that are alive at once when nodes run in order and each tensor is
  /// dropped after its last reader.
  std::int64_t peak_activations = 0;

  /// Bytes of the parameters as a quantized model holds them: weights packed at `weight_bits`, biases as
  /// int32, one float32 scale per output channel. At 32 bits: everything as float32, no scales.
  [[nodiscard]] std::int64_t model_bytes(int weight_bits) const;
};

/// Bytes of all constants of a graph as files hold them: elements of 4 bits in pairs.
std::int64_t constant_bytes(const Graph& graph);

/// Counts for an input of `input_shape` (with the batch; empty: the graph's own shapes, with 1 for each
/// symbol). Nodes of quantized graphs count as the float ones they stand for; QuantizeLinear,
/// DequantizeLinear and a Clip that is there for the bits of the QuantizeLinear behind it count nothing.
/// kInvalidArgument when the shape does not fit.
Result<Profile> profile(const Graph& graph, const Shape& input_shape = {});

}  // namespace zeropoint::toolchain
