#include "export/model_form.h"

#include <fmt/format.h>

#include <algorithm>

#include "export/onnx_forms.h"
#include "export/spell_out.h"
#include "simplify/remove_unread.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::int64_t kOldestUnasked = 13;
/// What came later is spelled out where it can be: few engines know it.
constexpr std::int64_t kNewestUnasked = 21;

OnnxNode canonical(const Node& node, std::int64_t opset) {
  const OpInfo& info = info_of(node.op);
  return {std::string(info.name), std::string(info.domain), node.name, node.inputs,
          node.outputs,           node.attributes,          opset};
}

/// Takes back what a form added to the graph.
void forget_values(Graph& graph, std::size_t count) {
  graph.values.erase(graph.values.begin() + static_cast<std::ptrdiff_t>(count), graph.values.end());
}

/// Before: constants of 4 bits that DequantizeLinear reads, which came with opset 21.
/// After:  the same integers in 8 bits.
void widen_four_bits(Graph& graph) {
  for (const Node& node : graph.nodes) {
    for (std::size_t input : {0U, 2U}) {
      const Tensor* constant = node.op == Op::kDequantizeLinear ? graph.constant(node, input) : nullptr;
      bool is_signed = constant != nullptr && constant->type() == ElementType::kInt4;
      if (constant == nullptr || (!is_signed && constant->type() != ElementType::kUint4)) {
        continue;
      }
      Tensor wide(is_signed ? ElementType::kInt8 : ElementType::kUint8, constant->shape());
      std::copy_n(constant->bytes(), constant->size(), wide.bytes());
      Value& value = graph.value(node.inputs[input]);
      value.type = wide.type();
      value.constant = std::make_shared<const Tensor>(std::move(wide));
    }
  }
}

/// Whether the node stands in models of the opset just as it is.
bool stands_in(const Node& node, std::int64_t opset, Graph& graph) {
  std::size_t values = graph.values.size();
  OnnxNode form = canonical(node, opset);
  bool said = to_form_of_opset(form, graph).ok();
  forget_values(graph, values);
  return said && form.op == name_of(node.op) && form.domain == info_of(node.op).domain &&
         form.inputs == node.inputs && form.attributes == node.attributes;
}

std::int64_t lowest_opset(Graph& graph) {
  std::int64_t opset = kOldestUnasked;
  for (const Node& node : graph.nodes) {
    while (opset < kNewestWritten && !stands_in(node, opset, graph)) {
      ++opset;
    }
  }
  return opset;
}

/// The first opset above that of `node` that can say it in some form.
std::optional<std::int64_t> opset_that_says(const Node& node, std::int64_t above, Graph& graph) {
  for (std::int64_t opset = above + 1; opset <= kNewestWritten; ++opset) {
    std::size_t values = graph.values.size();
    OnnxNode form = canonical(node, opset);
    bool said = to_form_of_opset(form, graph).ok();
    forget_values(graph, values);
    if (said) {
      return opset;
    }
  }
  return std::nullopt;
}

Status cannot_say(const Node& node, std::int64_t opset, const std::string& what, Graph& graph) {
  std::optional<std::int64_t> needed = opset_that_says(node, opset, graph);
  return Status::unsupported(
      needed ? fmt::format("{}: opset {} cannot say {}; opset {} can", describe(node), opset, what, *needed)
             : fmt::format("{}: no opset from {} to {} can say {}", describe(node), opset, kNewestWritten,
                           what));
}

}  // namespace

Result<ModelForm> model_form(const Graph& graph, std::optional<std::int64_t> opset) {
  if (opset && (*opset < kOldestWritten || *opset > kNewestWritten)) {
    return Status::invalid_argument(
        fmt::format("opset {} is not written; {} to {} are", *opset, kOldestWritten, kNewestWritten));
  }
  ModelForm form{graph, {}, 0, {}};
  form.opset = opset ? *opset : std::min(lowest_opset(form.graph), kNewestUnasked);
  if (form.opset < 21) {
    widen_four_bits(form.graph);
  }
  ZP_RETURN_IF_ERROR(spell_out(form.graph, form.opset));
  if (!opset) {
    form.opset = lowest_opset(form.graph);
  }
  for (const Node& node : form.graph.nodes) {
    form.nodes.push_back(canonical(node, form.opset));
    Status said = to_form_of_opset(form.nodes.back(), form.graph);
    if (!said.ok()) {
      return cannot_say(node, form.opset, said.message(), form.graph);
    }
  }
  std::vector<bool> before = read_values(form.graph, form.graph.nodes);
  std::vector<bool> after = read_values(form.graph, form.nodes);
  form.left_out.resize(before.size());
  std::transform(before.begin(), before.end(), after.begin(), form.left_out.begin(),
                 [](bool was, bool is) { return was && !is; });
  form.graph.nodes.clear();
  return form;
}

}  // namespace zeropoint::toolchain
