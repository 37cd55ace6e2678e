#include <fmt/format.h>

#include <algorithm>

#include "graph/geometry.h"
#include "graph/shape_rules.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {
namespace {

Status wants(const Value& value, ElementType type) {
  if (value.type == type) {
    return {};
  }
  return Status::invalid_argument(fmt::format("tensor '{}' is {}; {} is needed", value.name,
                                              zeropoint::name_of(value.type), zeropoint::name_of(type)));
}

/// The integer types of up to 32 bits.
bool holds_quantized(ElementType type) { return is_integer(type) && size_of(type) <= 4; }

/// Scale and zero point of a QuantizeLinear or DequantizeLinear fit `dims`: a scalar, one per index of the
/// axis, or (block_size) one per block along it.
Status check_scales(const InferenceContext& context) {
  const Dims& dims = *context.inputs[0]->dims;
  const Dims& scale = *context.inputs[1]->dims;
  if (context.inputs.size() > 2 && context.inputs[2] != nullptr && *context.inputs[2]->dims != scale) {
    return Status::invalid_argument(fmt::format("scale {} and zero point {} differ in shape",
                                                to_string(scale), to_string(*context.inputs[2]->dims)));
  }
  if (scale.empty() || (scale.size() == 1 && scale[0] == Dim(1))) {
    return {};
  }
  auto rank = static_cast<std::int64_t>(dims.size());
  std::int64_t axis = int_attribute(context.node, "axis");
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis >= rank) {
    return Status::invalid_argument(
        fmt::format("axis {} is outside of input {}", int_attribute(context.node, "axis"), to_string(dims)));
  }
  const Dim& along = dims[static_cast<std::size_t>(axis)];
  std::int64_t block = int_attribute(context.node, "block_size");
  bool fits = false;
  if (block == 0) {
    fits = scale.size() == 1 && scale[0] == along;
  } else if (block > 0 && along.known()) {
    Dims blocks = dims;
    blocks[static_cast<std::size_t>(axis)] = along.extent / block + (along.extent % block != 0 ? 1 : 0);
    fits = scale == blocks;
  }
  return fits ? Status()
              : Status::invalid_argument(fmt::format("scale {} does not fit input {} along axis {}",
                                                     to_string(scale), to_string(dims), axis));
}

}  // namespace

Status same_as_input_shape(InferenceContext& context) {
  context.type = context.inputs[0]->type;
  context.dims = *context.inputs[0]->dims;
  return {};
}

// y[N, M, spatial...] from x[N, C, spatial...] and w[M, C / group, kernel...].
Status conv_shape(InferenceContext& context) {
  ZP_RETURN_IF_ERROR(wants(*context.inputs[0], ElementType::kFloat32));
  ZP_RETURN_IF_ERROR(wants(*context.inputs[1], ElementType::kFloat32));
  const Dims& x = *context.inputs[0]->dims;
  const Dims& w = *context.inputs[1]->dims;
  std::int64_t group = int_attribute(context.node, "group");
  bool all_known = std::all_of(w.begin(), w.end(), [](const Dim& dim) { return dim.known(); });
  if (w.size() != x.size() || w.size() < 3 || !all_known || group < 1 || w[0].extent % group != 0 ||
      !x[1].known() || x[1].extent % group != 0 || x[1].extent / group != w[1].extent) {
    return Status::invalid_argument(
        fmt::format("weights {} in {} group(s) do not fit input {}", to_string(w), group, to_string(x)));
  }
  if (context.inputs.size() > 2 && context.inputs[2] != nullptr) {
    ZP_RETURN_IF_ERROR(wants(*context.inputs[2], ElementType::kFloat32));
  }
  if (context.inputs.size() > 2 && context.inputs[2] != nullptr && *context.inputs[2]->dims != Dims{w[0]}) {
    return Status::invalid_argument(
        fmt::format("bias {} does not fit weights {}", to_string(*context.inputs[2]->dims), to_string(w)));
  }
  std::vector<std::int64_t> kernel;
  std::transform(w.begin() + 2, w.end(), std::back_inserter(kernel),
                 [](const Dim& dim) { return dim.extent; });
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(context.node, x, std::move(kernel)));
  context.dims = {x[0], w[0]};
  context.dims.insert(context.dims.end(), window.output.begin(), window.output.end());
  return {};
}

Status max_pool_shape(InferenceContext& context) {
  if (int_attribute(context.node, "storage_order") != 0) {
    return Status::unsupported("column-major storage_order is not supported");
  }
  const Dims& x = *context.inputs[0]->dims;
  ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(context.node, x, {}));
  context.type = context.inputs[0]->type;
  context.dims = {x[0], x[1]};
  context.dims.insert(context.dims.end(), window.output.begin(), window.output.end());
  return {};
}

// y[N, M] = alpha A'[N, K] B'[K, M] + beta C, where A' and B' may be transposed.
Status gemm_shape(InferenceContext& context) {
  ZP_RETURN_IF_ERROR(wants(*context.inputs[0], ElementType::kFloat32));
  ZP_RETURN_IF_ERROR(wants(*context.inputs[1], ElementType::kFloat32));
  Dims a = *context.inputs[0]->dims;
  Dims b = *context.inputs[1]->dims;
  if (a.size() == 2 && int_attribute(context.node, "transA") != 0) {
    std::swap(a[0], a[1]);
  }
  if (b.size() == 2 && int_attribute(context.node, "transB") != 0) {
    std::swap(b[0], b[1]);
  }
  if (a.size() != 2 || b.size() != 2 || a[1] != b[0]) {
    return Status::invalid_argument(fmt::format("matrices {} and {} cannot be multiplied",
                                                to_string(*context.inputs[0]->dims),
                                                to_string(*context.inputs[1]->dims)));
  }
  context.dims = {a[0], b[1]};
  if (context.inputs.size() > 2 && context.inputs[2] != nullptr) {
    ZP_RETURN_IF_ERROR(wants(*context.inputs[2], ElementType::kFloat32));
    const Dims& c = *context.inputs[2]->dims;
    bool fits = c.size() <= 2;
    for (std::size_t i = 0; fits && i < c.size(); ++i) {
      const Dim& along = context.dims[2 - c.size() + i];
      fits = c[i] == Dim(1) || c[i] == along || !along.known();
    }
    if (!fits) {
      return Status::invalid_argument(
          fmt::format("bias {} does not fit the product {}", to_string(c), to_string(context.dims)));
    }
  }
  return {};
}

Status flatten_shape(InferenceContext& context) {
  const Dims& x = *context.inputs[0]->dims;
  auto rank = static_cast<std::int64_t>(x.size());
  std::int64_t axis = int_attribute(context.node, "axis");
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis > rank) {
    return Status::invalid_argument(fmt::format("axis {} is outside of input {}", axis, to_string(x)));
  }
  // One unknown extent survives only where it stands alone on its side.
  auto product = [&](std::int64_t begin, std::int64_t end) {
    if (end - begin == 1) {
      return x[static_cast<std::size_t>(begin)];
    }
    std::int64_t count = 1;
    for (std::int64_t i = begin; i < end; ++i) {
      const Dim& dim = x[static_cast<std::size_t>(i)];
      if (!dim.known() || __builtin_mul_overflow(count, dim.extent, &count)) {
        return Dim(std::string());
      }
    }
    return Dim(count);
  };
  context.type = context.inputs[0]->type;
  context.dims = {product(0, axis), product(axis, rank)};
  return {};
}

Status quantize_linear_shape(InferenceContext& context) {
  ZP_RETURN_IF_ERROR(wants(*context.inputs[0], ElementType::kFloat32));
  ZP_RETURN_IF_ERROR(wants(*context.inputs[1], ElementType::kFloat32));
  ZP_RETURN_IF_ERROR(check_scales(context));
  bool typed = context.inputs.size() > 2 && context.inputs[2] != nullptr;
  context.type = typed ? context.inputs[2]->type : ElementType::kUint8;
  if (!holds_quantized(context.type)) {
    return wants(*context.inputs[2], ElementType::kInt8);
  }
  context.dims = *context.inputs[0]->dims;
  return {};
}

Status dequantize_linear_shape(InferenceContext& context) {
  ZP_RETURN_IF_ERROR(wants(*context.inputs[1], ElementType::kFloat32));
  ZP_RETURN_IF_ERROR(check_scales(context));
  if (!holds_quantized(context.inputs[0]->type)) {
    return wants(*context.inputs[0], ElementType::kInt8);
  }
  if (context.inputs.size() > 2 && context.inputs[2] != nullptr) {
    ZP_RETURN_IF_ERROR(wants(*context.inputs[2], context.inputs[0]->type));
  }
  context.dims = *context.inputs[0]->dims;
  return {};
}

Status infer_shapes(Graph& graph) {
  for (const Node& node : graph.nodes) {
    InferenceContext context{graph, node, {}, ElementType::kFloat32, {}};
    for (ValueId input : node.inputs) {
      context.inputs.push_back(input == kNoValue ? nullptr : &graph.value(input));
      if (input != kNoValue && !graph.value(input).dims.has_value()) {
        return Status::invalid_argument(
            fmt::format("{}: the shape of input '{}' is not known", describe(node), graph.value(input).name));
      }
    }
    ZP_RETURN_IF_ERROR(info_of(node.op).shape_rule(context).at(describe(node)));
    Value& output = graph.value(node.outputs[0]);
    output.type = context.type;
    output.dims = std::move(context.dims);
  }
  return {};
}

}  // namespace zeropoint::toolchain
