// If and Loop whose conditions are known before the graph runs: the branch that is taken, and the body as
// often as it runs, are written out where the node stands.

#include <fmt/format.h>

#include "import/model_reader.h"
#include "import/onnx_order.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::int64_t kMostTrips = 10'000;

const onnx::GraphProto* subgraph(const onnx::NodeProto& node, std::string_view name) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name && attribute.has_g()) {
      return &attribute.g();
    }
  }
  return nullptr;
}

std::optional<bool> condition_in(const Tensor* tensor) {
  return tensor != nullptr && tensor->type() == ElementType::kBool && tensor->size() == 1
             ? std::optional(*tensor->bytes() != std::byte{0})
             : std::nullopt;
}

Tensor boolean(bool value) {
  Tensor tensor(ElementType::kBool, {});
  *tensor.bytes() = static_cast<std::byte>(value);
  return tensor;
}

Scope inside(const Scope& scope, const onnx::NodeProto& node, const std::string& part) {
  Scope inner;
  inner.around = &scope;
  inner.opsets = scope.opsets;
  inner.attributes = scope.attributes;
  inner.prefix = scope.prefix + (node.name().empty() ? node.op_type() : node.name()) + "/" + part;
  inner.depth = scope.depth + 1;
  return inner;
}

}  // namespace

Status ModelReader::give(const onnx::NodeProto& proto, int output, ValueId id, Scope& scope) {
  const std::string& name = proto.output(output);
  if (name.empty()) {
    return {};
  }
  if (id == kNoValue || scope.tensors.count(name) != 0) {
    return Status::corrupt(
        fmt::format("{} makes tensor '{}' a second time, or of nothing", describe(proto), name));
  }
  ValueId named = builder_.add_value(scope.prefix + name);
  scope.tensors[name] = named;
  return builder_.add_node({Op::kIdentity, scope.prefix + name, {id}, {named}, {}});
}

Status ModelReader::read_if(const onnx::NodeProto& proto, Scope& scope) {
  std::string label = describe(proto);
  Result<ValueId> id = lookup(proto.input_size() > 0 ? proto.input(0) : "", scope);
  std::optional<bool> condition =
      id.ok() && *id != kNoValue ? condition_in(builder_.known(*id)) : std::nullopt;
  if (!condition) {
    return Status::unsupported(label + ": only conditions that do not depend on the inputs are supported");
  }
  const onnx::GraphProto* branch = subgraph(proto, *condition ? "then_branch" : "else_branch");
  if (branch == nullptr || branch->output_size() != proto.output_size()) {
    return Status::corrupt(label + ": its branch is missing or has another number of outputs");
  }
  Scope inner = inside(scope, proto, "");
  ZP_RETURN_IF_ERROR(read_subgraph(*branch, inner));
  for (int i = 0; i < proto.output_size(); ++i) {
    const ValueId* made = inner.find(branch->output(i).name());
    if (made == nullptr) {
      return Status::corrupt(fmt::format("{}: nothing makes its '{}'", label, branch->output(i).name()));
    }
    ZP_RETURN_IF_ERROR(give(proto, i, *made, scope));
  }
  return {};
}

Status ModelReader::read_loop(const onnx::NodeProto& proto, Scope& scope) {
  std::string label = describe(proto);
  std::optional<std::int64_t> trips = std::numeric_limits<std::int64_t>::max();
  std::optional<bool> condition = true;
  if (proto.input_size() > 0 && !proto.input(0).empty()) {
    Result<ValueId> id = lookup(proto.input(0), scope);
    const Tensor* known = id.ok() ? builder_.known(*id) : nullptr;
    trips = known != nullptr && known->type() == ElementType::kInt64 && known->size() == 1
                ? std::optional(known->data<std::int64_t>()[0])
                : std::nullopt;
  }
  if (proto.input_size() > 1 && !proto.input(1).empty()) {
    Result<ValueId> id = lookup(proto.input(1), scope);
    condition = id.ok() ? condition_in(builder_.known(*id)) : std::nullopt;
  }
  if (!trips || !condition) {
    return Status::unsupported(label + ": only loops whose rounds do not depend on the inputs are supported");
  }
  return unroll(proto, scope, *trips, *condition).at(label);
}

Status ModelReader::unroll(const onnx::NodeProto& proto, Scope& scope, std::int64_t trips, bool condition) {
  const onnx::GraphProto* body = subgraph(proto, "body");
  int carried_count = proto.input_size() - 2;
  if (body == nullptr || carried_count < 0 || body->input_size() != carried_count + 2 ||
      body->output_size() != proto.output_size() + 1 || proto.output_size() < carried_count) {
    return Status::corrupt("its body is missing, or has another number of inputs or outputs");
  }
  std::vector<ValueId> carried;
  for (int i = 0; i < carried_count; ++i) {
    ZP_ASSIGN_OR_RETURN(ValueId id, lookup(proto.input(i + 2), scope));
    carried.push_back(id);
  }
  std::vector<std::vector<ValueId>> scanned(static_cast<std::size_t>(proto.output_size() - carried_count));
  ValueId always = builder_.add_constant(inside(scope, proto, "condition").prefix, boolean(true));
  for (std::int64_t round = 0; round < std::min(trips, kMostTrips) && condition; ++round) {
    ZP_RETURN_IF_ERROR(count_step());
    builder_.charge(kBytesPerName * static_cast<std::size_t>(body->output_size()));
    Scope inner = inside(scope, proto, std::to_string(round) + "/");
    inner.tensors[body->input(0).name()] =
        builder_.add_constant(inner.prefix + "round", Tensor::of<std::int64_t>({}, std::vector{round}));
    inner.tensors[body->input(1).name()] = always;
    for (int i = 0; i < carried_count; ++i) {
      inner.tensors[body->input(i + 2).name()] = carried[static_cast<std::size_t>(i)];
    }
    ZP_RETURN_IF_ERROR(read_subgraph(*body, inner));
    for (int i = 0; i < body->output_size(); ++i) {
      const ValueId* made = inner.find(body->output(i).name());
      if (made == nullptr || *made == kNoValue) {
        return Status::corrupt(fmt::format("nothing makes its '{}'", body->output(i).name()));
      }
      if (i == 0) {
        std::optional<bool> next = condition_in(builder_.known(*made));
        if (!next) {
          return Status::unsupported("its condition depends on the inputs");
        }
        condition = *next;
      } else if (i <= carried_count) {
        carried[static_cast<std::size_t>(i - 1)] = *made;
      } else {
        scanned[static_cast<std::size_t>(i - 1 - carried_count)].push_back(*made);
      }
    }
  }
  if (condition && trips > kMostTrips) {
    return Status::unsupported(fmt::format("it does not end within {} rounds", kMostTrips));
  }
  return finish_loop(proto, scope, carried, scanned);
}

/// What was carried to the end, and what each round gave, stacked.
Status ModelReader::finish_loop(const onnx::NodeProto& proto, Scope& scope,
                                const std::vector<ValueId>& carried,
                                const std::vector<std::vector<ValueId>>& scanned) {
  for (std::size_t i = 0; i < carried.size(); ++i) {
    ZP_RETURN_IF_ERROR(give(proto, static_cast<int>(i), carried[i], scope));
  }
  for (std::size_t i = 0; i < scanned.size(); ++i) {
    auto output = static_cast<int>(carried.size() + i);
    if (scanned[i].empty()) {
      return Status::unsupported("it runs no round, so that what it collects has no shape");
    }
    std::string prefix = scope.prefix + proto.output(output);
    ValueId axis =
        builder_.add_constant(prefix + "_axis", Tensor::of<std::int64_t>({1}, std::vector<std::int64_t>{0}));
    std::vector<ValueId> rows;
    for (ValueId row : scanned[i]) {
      ZP_ASSIGN_OR_RETURN(ValueId tall, builder_.add_node(Op::kUnsqueeze, prefix + "_row", {row, axis}));
      rows.push_back(tall);
    }
    ZP_ASSIGN_OR_RETURN(ValueId stacked, builder_.add_node(Op::kConcat, prefix + "_rows", std::move(rows),
                                                           {{"axis", std::int64_t{0}}}));
    ZP_RETURN_IF_ERROR(give(proto, output, stacked, scope));
  }
  return {};
}

}  // namespace zeropoint::toolchain
