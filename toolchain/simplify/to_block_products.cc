#include "simplify/to_block_products.h"

#include <optional>
#include <utility>

#include "simplify/graph_view.h"

namespace zeropoint::toolchain {
namespace {

/// Weights [K, N], or [N, K] where `transposed`.
struct Blocked {
  const Tensor* integers;
  const Tensor* scales;
  const Tensor* zero_points;  // nullptr: all 0
  std::int64_t size;
  bool transposed;

  [[nodiscard]] std::int64_t k() const { return integers->dim(transposed ? 1 : 0); }
  [[nodiscard]] std::int64_t n() const { return integers->dim(transposed ? 0 : 1); }
  [[nodiscard]] std::int64_t blocks() const { return (k() + size - 1) / size; }
  [[nodiscard]] std::int64_t bits() const {
    return integers->type() == ElementType::kInt4 || integers->type() == ElementType::kUint4 ? 4 : 8;
  }
  /// The position of row `n`'s element `along`, in a tensor that has `extent` of those.
  [[nodiscard]] std::size_t at(std::int64_t n_index, std::int64_t along, std::int64_t extent) const {
    return static_cast<std::size_t>(transposed ? n_index * extent + along : along * n() + n_index);
  }
};

/// An element as MatMulNBits stores it: unsigned.
std::uint8_t raised(const Tensor& integers, std::size_t i) {
  switch (integers.type()) {
    case ElementType::kInt4:
      return static_cast<std::uint8_t>(integers.data<std::int8_t>()[i] + 8);
    case ElementType::kInt8:
      return static_cast<std::uint8_t>(integers.data<std::int8_t>()[i] + 128);
    default:
      return integers.data<std::uint8_t>()[i];
  }
}

/// Puts the element into its place, lowest bits first.
void put(std::uint8_t* bytes, std::int64_t i, std::uint8_t element, std::int64_t bits) {
  if (bits == 8) {
    bytes[i] = element;
  } else {
    bytes[i / 2] = static_cast<std::uint8_t>(bytes[i / 2] | (element << (i % 2 * 4)));
  }
}

class BlockProducts {
 public:
  explicit BlockProducts(Graph& graph) : graph_(graph), names_(graph), producers_(producers(graph)) {}

  std::size_t run() {
    std::vector<Node> nodes = std::exchange(graph_.nodes, {});
    std::size_t count = 0;
    for (const Node& node : nodes) {
      std::optional<Blocked> weights = weights_of(node, nodes);
      if (weights) {
        replace(node, *weights);
        ++count;
      } else {
        graph_.nodes.push_back(node);
      }
    }
    return count;
  }

 private:
  [[nodiscard]] std::optional<Blocked> weights_of(const Node& node, const std::vector<Node>& nodes) const {
    bool gemm = node.op == Op::kGemm && float_attribute(node, "alpha") == 1 &&
                float_attribute(node, "beta") == 1 && int_attribute(node, "transA") == 0 &&
                (!node.has_input(2) || rank_of(node.inputs[2]) == std::optional<std::size_t>(1));
    std::int32_t maker =
        gemm || node.op == Op::kMatMul ? producers_[static_cast<std::size_t>(node.inputs[1])] : -1;
    if (maker < 0 || nodes[static_cast<std::size_t>(maker)].op != Op::kDequantizeLinear) {
      return std::nullopt;
    }
    const Node& dequantize = nodes[static_cast<std::size_t>(maker)];
    Blocked found{graph_.constant(dequantize, 0), graph_.constant(dequantize, 1),
                  graph_.constant(dequantize, 2), int_attribute(dequantize, "block_size"),
                  gemm && int_attribute(node, "transB") != 0};
    bool constant = found.integers != nullptr && found.scales != nullptr && found.integers->rank() == 2 &&
                    (found.zero_points != nullptr || !dequantize.has_input(2));
    if (!constant || found.size < 16 || (found.size & (found.size - 1)) != 0 ||
        size_of(found.integers->type()) != 1 || found.scales->type() != ElementType::kFloat32) {
      return std::nullopt;
    }
    if (found.size > 16 && found.size / 2 >= found.k()) {
      return std::nullopt;  // mostly padding: bytes without end that hold nothing
    }
    std::int64_t axis = int_attribute(dequantize, "axis");
    return axis + (axis < 0 ? 2 : 0) == (found.transposed ? 1 : 0) ? std::optional(found) : std::nullopt;
  }

  [[nodiscard]] std::optional<std::size_t> rank_of(ValueId id) const {
    const std::optional<Dims>& dims = graph_.value(id).dims;
    return dims ? std::optional(dims->size()) : std::nullopt;
  }

  void replace(const Node& node, const Blocked& weights) {
    std::int64_t blocks = weights.blocks();
    std::int64_t bits = weights.bits();
    std::int64_t block_bytes = weights.size * bits / 8;
    std::int64_t zero_bytes = (blocks * bits + 7) / 8;
    Tensor packed(ElementType::kUint8, {weights.n(), blocks, block_bytes});
    Tensor scales(ElementType::kFloat32, {weights.n() * blocks});
    Tensor zeros(ElementType::kUint8, {weights.n() * zero_bytes});
    bool is_signed =
        weights.integers->type() == ElementType::kInt4 || weights.integers->type() == ElementType::kInt8;
    auto middle = static_cast<std::uint8_t>(is_signed ? 1 << (bits - 1) : 0);
    for (std::int64_t n = 0; n < weights.n(); ++n) {
      std::uint8_t* row = packed.data<std::uint8_t>().data() + n * blocks * block_bytes;
      for (std::int64_t k = 0; k < weights.k(); ++k) {
        put(row, k, raised(*weights.integers, weights.at(n, k, weights.k())), bits);
      }
      for (std::int64_t b = 0; b < blocks; ++b) {
        std::size_t from = weights.at(n, b, blocks);
        scales.data<float>()[static_cast<std::size_t>(n * blocks + b)] = weights.scales->data<float>()[from];
        put(zeros.data<std::uint8_t>().data() + n * zero_bytes, b,
            weights.zero_points == nullptr ? middle : raised(*weights.zero_points, from), bits);
      }
    }
    const std::string base = graph_.value(node.inputs[1]).name;
    Node made{Op::kMatMulNBits,
              node.name,
              {node.inputs[0], constant(base + "_packed", std::move(packed)),
               constant(base + "_scales", std::move(scales)), constant(base + "_zeros", std::move(zeros))},
              node.outputs,
              {{"K", weights.k()}, {"N", weights.n()}, {"bits", bits}, {"block_size", weights.size}}};
    if (node.op == Op::kGemm && node.has_input(2)) {
      ValueId product = graph_.add_value(names_.take(graph_.value(node.outputs[0]).name + "_product"));
      made.outputs = {product};
      graph_.nodes.push_back(std::move(made));
      graph_.nodes.push_back({Op::kAdd, node.name + "_bias", {product, node.inputs[2]}, node.outputs, {}});
      return;
    }
    graph_.nodes.push_back(std::move(made));
  }

  ValueId constant(const std::string& name, Tensor tensor) {
    return graph_.add_constant(names_.take(name), std::move(tensor));
  }

  Graph& graph_;
  NewNames names_;
  std::vector<std::int32_t> producers_;
};

}  // namespace

std::size_t to_block_products(Graph& graph) { return BlockProducts(graph).run(); }

}  // namespace zeropoint::toolchain
