#include "compile/element_table.h"

#include <optional>

namespace zeropoint::toolchain {
namespace {

/// Entries of all channels together beyond which tables cost more than they save.
constexpr std::int64_t kMostEntries = std::int64_t{1} << 20;

Status no_table() { return Status::unsupported("its constants vary along more than the channels"); }

/// The one axis of a tensor of dims `dims` along which the region's constants vary.
class VaryingAxis {
 public:
  explicit VaryingAxis(const Dims& dims) : dims_(dims) {}

  /// A constant that is broadcast, its last axis standing at the tensor's last.
  Status add(const Shape& shape) {
    if (shape.size() > dims_.size()) {
      return no_table();
    }
    for (std::size_t i = 0; i < shape.size(); ++i) {
      ZP_RETURN_IF_ERROR(add(dims_.size() - shape.size() + i, shape[i]));
    }
    return {};
  }

  Status add(std::size_t axis, std::int64_t extent) {
    if (extent == 1) {
      return {};
    }
    bool fits = axis < dims_.size() && dims_[axis].extent == extent && (!axis_ || *axis_ == axis);
    axis_ = axis;
    return fits ? Status() : no_table();
  }

  [[nodiscard]] std::optional<std::size_t> axis() const { return axis_; }

 private:
  const Dims& dims_;
  std::optional<std::size_t> axis_;
};

Result<std::optional<std::size_t>> varying_axis(const Graph& graph, const Region& region, const Dims& dims,
                                                const std::map<ValueId, Tensor>& constants) {
  VaryingAxis varying(dims);
  for (std::int32_t index : region.nodes) {
    const Node& node = graph.nodes[static_cast<std::size_t>(index)];
    for (ValueId input : node.inputs) {
      auto constant = constants.find(input);
      if (constant == constants.end()) {
        continue;
      }
      ZP_RETURN_IF_ERROR(node.op == Op::kBatchNormalization ? varying.add(1, constant->second.size())
                                                            : varying.add(constant->second.shape()));
    }
  }
  return varying.axis();
}

}  // namespace

Result<ElementTable> element_table(const Graph& graph, const Region& region, ValueId id, QuantParams params,
                                   ElementType type, const std::map<ValueId, Tensor>& constants) {
  ValueId source = region.known[0];
  const std::optional<Dims>& dims = graph.value(source).dims;
  if (!dims) {
    return no_table();
  }
  ZP_ASSIGN_OR_RETURN(std::optional<std::size_t> axis, varying_axis(graph, region, *dims, constants));
  QuantizedRange range = storage_range(type);
  std::int64_t entries = range.q_max - range.q_min + 1;
  std::int64_t channels = axis ? (*dims)[*axis].extent : 1;
  // The integers stand along an axis of their own, of a tensor that has the source's rank for broadcasting.
  std::size_t rank = std::max<std::size_t>(dims->size(), 1);
  std::size_t entry_axis = axis == std::optional<std::size_t>(0) ? rank - 1 : 0;
  if ((axis && *axis == entry_axis) || channels < 1 || channels > kMostEntries / entries) {
    return no_table();
  }
  Shape shape(rank, 1);
  shape[entry_axis] = entries;
  if (axis) {
    shape[*axis] = channels;
  }
  bool entries_first = !axis || entry_axis < *axis;
  Tensor x(ElementType::kFloat32, shape);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    std::int64_t entry = entries_first ? i / channels : i % entries;
    x.data<float>()[static_cast<std::size_t>(i)] = dequantize(range.q_min + entry, params);
  }
  std::map<ValueId, Tensor> values;
  values[source] = std::move(x);
  for (std::int32_t index : region.nodes) {
    const Node& node = graph.nodes[static_cast<std::size_t>(index)];
    std::vector<const Tensor*> inputs;
    for (ValueId input : node.inputs) {
      auto constant = constants.find(input);
      inputs.push_back(input == kNoValue
                           ? nullptr
                           : (constant != constants.end() ? &constant->second : &values.at(input)));
    }
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs,
                        evaluate(OperatorCall(node.op, node.attributes, inputs)));
    values[node.outputs[0]] = std::move(outputs[0]);
  }
  const Tensor& y = values.at(id);
  if (y.shape() != shape || y.type() != ElementType::kFloat32) {
    return no_table();
  }
  ElementTable table{y, axis ? static_cast<std::int64_t>(*axis) : 1};
  table.reals.reshape(axis ? Shape{channels, entries} : Shape{entries});
  for (std::int64_t i = 0; axis && entries_first && i < y.size(); ++i) {
    auto to = static_cast<std::size_t>(i % channels * entries + i / channels);
    table.reals.data<float>()[to] = y.data<float>()[static_cast<std::size_t>(i)];
  }
  return table;
}

}  // namespace zeropoint::toolchain
