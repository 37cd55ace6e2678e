#pragma once

// A graph computed in plain loops in double precision: what tests hold the float executor's results, and its
// gradients by central differences, against.

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include "graph/geometry.h"
#include "graph/quant_nodes.h"
#include "zeropoint/toolchain/graph.h"
#include "zeropoint/toolchain/random.h"

namespace zeropoint::toolchain::oracle {

struct Reals {
  Shape shape;
  std::vector<double> data;

  [[nodiscard]] std::int64_t dim(std::size_t axis) const { return shape[axis]; }
};
using Values = std::map<ValueId, Reals>;

inline Reals zeros(Shape shape) {
  auto count = static_cast<std::size_t>(*element_count(shape));
  return {std::move(shape), std::vector<double>(count)};
}

inline Reals reals_of(const Tensor& tensor) {
  Reals reals{tensor.shape(), {}};
  bool integer = visit_integer(tensor.type(), [&](auto element) {
    auto values = tensor.data<decltype(element)>();
    std::transform(values.begin(), values.end(), std::back_inserter(reals.data),
                   [](auto value) { return static_cast<double>(value); });
  });
  if (!integer) {
    reals.data.assign(tensor.data<float>().begin(), tensor.data<float>().end());
  }
  return reals;
}

/// Uniform in [-1, 1), rounded to float32.
inline Tensor random_tensor(Shape shape, Random& random) {
  Tensor tensor(ElementType::kFloat32, std::move(shape));
  for (float& element : tensor.data<float>()) {
    element = static_cast<float>(random.uniform(-1, 1));
  }
  return tensor;
}

inline std::size_t at4(const Reals& t, std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
  return static_cast<std::size_t>(((a * t.dim(1) + b) * t.dim(2) + c) * t.dim(3) + d);
}

/// Calls visit(ky, kx, y, x) for the elements inside the image that the window at (oy, ox) reads.
template <typename Visit>
void for_window(const WindowGeometry& window, std::int64_t oy, std::int64_t ox, Visit visit) {
  for (std::int64_t ky = 0; ky < window.kernel[0]; ++ky) {
    for (std::int64_t kx = 0; kx < window.kernel[1]; ++kx) {
      std::int64_t y = oy * window.strides[0] + ky * window.dilations[0] - window.pads_begin[0];
      std::int64_t x = ox * window.strides[1] + kx * window.dilations[1] - window.pads_begin[1];
      if (y >= 0 && y < window.input[0] && x >= 0 && x < window.input[1]) {
        visit(ky, kx, y, x);
      }
    }
  }
}

inline Reals conv(const Node& node, const Reals& x, const Reals& w, const Reals* bias) {
  WindowGeometry window = *window_geometry(node, dims_of(x.shape), {w.dim(2), w.dim(3)});
  std::int64_t outputs_per_group = w.dim(0) / int_attribute(node, "group");
  Reals y = zeros({x.dim(0), w.dim(0), window.output[0], window.output[1]});
  for (std::int64_t n = 0; n < y.dim(0); ++n) {
    for (std::int64_t m = 0; m < y.dim(1); ++m) {
      std::int64_t first = m / outputs_per_group * w.dim(1);
      for (std::int64_t oy = 0; oy < y.dim(2); ++oy) {
        for (std::int64_t ox = 0; ox < y.dim(3); ++ox) {
          double sum = bias == nullptr ? 0 : bias->data[static_cast<std::size_t>(m)];
          for_window(window, oy, ox, [&](std::int64_t ky, std::int64_t kx, std::int64_t iy, std::int64_t ix) {
            for (std::int64_t c = 0; c < w.dim(1); ++c) {
              sum += x.data[at4(x, n, first + c, iy, ix)] * w.data[at4(w, m, c, ky, kx)];
            }
          });
          y.data[at4(y, n, m, oy, ox)] = sum;
        }
      }
    }
  }
  return y;
}

inline Reals max_pool(const Node& node, const Reals& x) {
  WindowGeometry window = *window_geometry(node, dims_of(x.shape), {});
  Reals y = zeros({x.dim(0), x.dim(1), window.output[0], window.output[1]});
  for (std::int64_t n = 0; n < y.dim(0); ++n) {
    for (std::int64_t c = 0; c < y.dim(1); ++c) {
      for (std::int64_t oy = 0; oy < y.dim(2); ++oy) {
        for (std::int64_t ox = 0; ox < y.dim(3); ++ox) {
          double best = -std::numeric_limits<double>::infinity();
          for_window(window, oy, ox, [&](std::int64_t, std::int64_t, std::int64_t iy, std::int64_t ix) {
            best = std::max(best, x.data[at4(x, n, c, iy, ix)]);
          });
          y.data[at4(y, n, c, oy, ox)] = best;
        }
      }
    }
  }
  return y;
}

inline Reals gemm(const Node& node, const Reals& a, const Reals& b, const Reals* c) {
  bool a_turned = int_attribute(node, "transA") != 0;
  bool b_turned = int_attribute(node, "transB") != 0;
  std::int64_t rows = a.dim(a_turned ? 1 : 0);
  std::int64_t inner = a.dim(a_turned ? 0 : 1);
  std::int64_t columns = b.dim(b_turned ? 0 : 1);
  Reals y = zeros({rows, columns});
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < inner; ++k) {
        sum += a.data[static_cast<std::size_t>(a_turned ? k * rows + i : i * inner + k)] *
               b.data[static_cast<std::size_t>(b_turned ? j * inner + k : k * columns + j)];
      }
      double added = 0;
      if (c != nullptr) {
        std::int64_t c_columns = c->shape.empty() ? 1 : c->shape.back();
        std::int64_t c_rows = c->shape.size() < 2 ? 1 : c->dim(0);
        added =
            c->data[static_cast<std::size_t>((c_rows == 1 ? 0 : i) * c_columns + (c_columns == 1 ? 0 : j))];
      }
      y.data[static_cast<std::size_t>(i * columns + j)] =
          static_cast<double>(float_attribute(node, "alpha")) * sum +
          static_cast<double>(float_attribute(node, "beta")) * added;
    }
  }
  return y;
}

/// QuantizeLinear and DequantizeLinear by the equation itself, in double precision. Scales are constants.
inline Reals affine(const Graph& graph, const Node& node, const Reals& x) {
  QuantNode quantization = *read_quant_node(graph, node);
  ParamsLayout layout = *ParamsLayout::of(x.shape, quantization.params.granularity);
  QuantizedRange range = storage_range(quantization.storage);
  Reals y = x;
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    QuantParams params =
        quantization.params.params[static_cast<std::size_t>(layout.index_of(static_cast<std::int64_t>(i)))];
    auto scale = static_cast<double>(params.scale);
    auto zero_point = static_cast<double>(params.zero_point);
    y.data[i] = node.op == Op::kQuantizeLinear
                    ? std::clamp(std::nearbyint(x.data[i] / scale) + zero_point,
                                 static_cast<double>(range.q_min), static_cast<double>(range.q_max))
                    : scale * (x.data[i] - zero_point);
  }
  return y;
}

/// Every value of `graph`, where `known` holds its inputs and may replace constants. After each node
/// after_node(node, values) sees what is known by then, and may change it.
template <typename AfterNode>
Values evaluate(const Graph& graph, Values known, AfterNode after_node) {
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].constant != nullptr) {
      known.try_emplace(static_cast<ValueId>(i), reals_of(*graph.values[i].constant));
    }
  }
  for (const Node& node : graph.nodes) {
    auto input = [&](std::size_t i) -> const Reals* {
      return i < node.inputs.size() && node.inputs[i] != kNoValue ? &known.at(node.inputs[i]) : nullptr;
    };
    const Reals& x = *input(0);
    Reals y;
    switch (node.op) {
      case Op::kConv:
        y = conv(node, x, *input(1), input(2));
        break;
      case Op::kGemm:
        y = gemm(node, x, *input(1), input(2));
        break;
      case Op::kMaxPool:
        y = max_pool(node, x);
        break;
      case Op::kQuantizeLinear:
      case Op::kDequantizeLinear:
        y = affine(graph, node, x);
        break;
      case Op::kRelu:
        y = x;
        std::for_each(y.data.begin(), y.data.end(), [](double& v) { v = std::max(v, 0.0); });
        break;
      case Op::kClip:
        y = x;
        std::for_each(y.data.begin(), y.data.end(), [&](double& v) {
          v = input(1) != nullptr ? std::max(v, input(1)->data[0]) : v;
          v = input(2) != nullptr ? std::min(v, input(2)->data[0]) : v;
        });
        break;
      case Op::kFlatten: {
        y = x;
        std::int64_t rows = 1;
        for (std::int64_t axis = 0; axis < int_attribute(node, "axis"); ++axis) {
          rows *= x.dim(static_cast<std::size_t>(axis));
        }
        y.shape = {rows, static_cast<std::int64_t>(x.data.size()) / rows};
        break;
      }
      default:
        std::abort();  // the oracle is for what it has
    }
    known[node.outputs[0]] = std::move(y);
    after_node(node, known);
  }
  return known;
}

inline Values evaluate(const Graph& graph, Values known) {
  return evaluate(graph, std::move(known), [](const Node&, Values&) {});
}

}  // namespace zeropoint::toolchain::oracle
