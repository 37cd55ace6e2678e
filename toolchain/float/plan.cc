#include "float/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "float/builders.h"

namespace zeropoint::toolchain {
namespace {

bool contains(const std::vector<ValueId>& values, ValueId id) {
  return std::find(values.begin(), values.end(), id) != values.end();
}

std::size_t plain_bytes_of(ElementType type, const Shape& shape) {
  return static_cast<std::size_t>(*element_count(shape)) * size_of(type);
}

}  // namespace

std::shared_ptr<BufferStore::Buffer> BufferStore::acquire(std::size_t size) {
  std::shared_ptr<Buffer> best;
  for (const auto& buffer : buffers_) {
    bool is_free = buffer.use_count() == 1 && buffer->bytes.byte_size() >= size;
    if (is_free && (best == nullptr || buffer->bytes.byte_size() < best->bytes.byte_size())) {
      best = buffer;
    }
  }
  if (best == nullptr) {
    best = std::make_shared<Buffer>(
        Buffer{Tensor(ElementType::kUint8, {static_cast<std::int64_t>(std::max<std::size_t>(size, 1))})});
    buffers_.push_back(best);
  }
  return best;
}

Plan::Plan(Network& network, std::vector<Shape> input_shapes, bool observed)
    : network_(network),
      input_shapes_(std::move(input_shapes)),
      observed_(observed),
      shapes_(network.graph.values.size()),
      forms_(network.graph.values.size()),
      gradients_(network.graph.values.size()),
      trainable_(network.graph.values.size(), false) {}

Result<std::unique_ptr<Plan>> Plan::build(Network& network, const std::vector<Shape>& input_shapes,
                                          bool observed) {
  std::unique_ptr<Plan> plan(new Plan(network, input_shapes, observed));
  ZP_ASSIGN_OR_RETURN(bool all_shapes_known, plan->infer());
  if (!all_shapes_known) {
    return std::unique_ptr<Plan>();
  }
  ZP_RETURN_IF_ERROR(plan->prepare());
  return plan;
}

Result<bool> Plan::infer() {
  Graph concrete = network_.graph;
  for (std::size_t i = 0; i < concrete.inputs.size(); ++i) {
    concrete.value(concrete.inputs[i]).dims = dims_of(input_shapes_[i]);
  }
  ZP_RETURN_IF_ERROR(infer_shapes(concrete));
  std::vector<bool> used(concrete.values.size(), false);
  auto use = [&](ValueId id) {
    if (id != kNoValue) {
      used[static_cast<std::size_t>(id)] = true;
    }
  };
  std::for_each(concrete.inputs.begin(), concrete.inputs.end(), use);
  for (const Node& node : concrete.nodes) {
    std::for_each(node.inputs.begin(), node.inputs.end(), use);
    std::for_each(node.outputs.begin(), node.outputs.end(), use);
  }
  std::for_each(concrete.outputs.begin(), concrete.outputs.end(), use);
  for (std::size_t i = 0; i < concrete.values.size(); ++i) {
    const Value& value = concrete.values[i];
    if (!used[i]) {
      continue;  // folding leaves values behind that nothing reads any more
    }
    if (!value.dims ||
        !std::all_of(value.dims->begin(), value.dims->end(), [](const Dim& dim) { return dim.known(); })) {
      return false;
    }
    shapes_[i] = shape_of(*value.dims, 0);
    ZP_RETURN_IF_ERROR(element_count(shapes_[i]).status().at(fmt::format("tensor '{}'", value.name)));
  }
  return true;
}

dnnl::memory Plan::memory_of(const Form& form) const { return {form.desc, network_.engine, form.data}; }

void Plan::copy_layout(const dnnl::memory& from, const dnnl::memory& to) const {
  dnnl::reorder(reorder(network_.engine, from.get_desc(), to.get_desc()))
      .execute(network_.stream, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

Form& Plan::add_form(ValueId id, const MemoryDesc& desc, std::size_t bytes) {
  std::shared_ptr<BufferStore::Buffer> buffer = store_.acquire(bytes);
  std::byte* data = buffer->bytes.bytes();
  forms(id).push_back({desc, data, std::move(buffer), MemoryDesc()});
  return forms(id).back();
}

Form Plan::form_as(ValueId id, const MemoryDesc& read_as, const MemoryDesc& want,
                   std::vector<std::unique_ptr<Step>>& steps) {
  for (const Form& form : forms(id)) {
    if (form.desc == want && form.read_as == read_as) {
      return form;
    }
  }
  Form from = forms(id)[0];
  if (read_as != MemoryDesc()) {
    from = form_as(id, MemoryDesc(), plain_desc(shape(id)), steps);
    from.desc = read_as;
    if (read_as == want) {
      return from;
    }
  }
  if (network_.is_constant(id)) {
    LaidOutConstants& constants = *network_.constants;
    std::lock_guard lock(constants.mutex);
    for (const LaidOutConstants::Entry& known : constants.entries) {
      if (known.value == id && known.read_as == read_as && known.memory.get_desc() == want) {
        return {want, static_cast<std::byte*>(known.memory.get_data_handle()), nullptr, read_as};
      }
    }
    dnnl::memory laid_out(want, network_.engine);
    copy_layout(memory_of(from), laid_out);
    constants.entries.push_back({id, read_as, laid_out});
    return {want, static_cast<std::byte*>(laid_out.get_data_handle()), nullptr, read_as};
  }
  Form& form = add_form(id, want, want.get_size());
  form.read_as = read_as;
  auto step = std::make_unique<PrimitiveStep>(network_.stream);
  step->add(dnnl::reorder(reorder(network_.engine, from.desc, want)),
            {{DNNL_ARG_FROM, memory_of(from)}, {DNNL_ARG_TO, memory_of(form)}});
  steps.push_back(std::move(step));
  return form;
}

bool Plan::may_overwrite(ValueId id) const {
  const Graph& graph = network_.graph;
  if (observed_ || contains(graph.outputs, id)) {
    return false;
  }
  int readers = 0;
  bool by_layer = false;  // whose gradients do not need what it gave
  for (const Node& node : graph.nodes) {
    readers += contains(node.inputs, id) ? 1 : 0;
    by_layer = by_layer || (contains(node.outputs, id) && (node.op == Op::kConv || node.op == Op::kGemm));
  }
  return readers == 1 && by_layer;
}

Status Plan::prepare() {
  const Graph& graph = network_.graph;
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    auto id = static_cast<ValueId>(i);
    const Value& value = graph.values[i];
    Shape constant_shape = value.constant != nullptr ? value.constant->shape() : Shape();
    MemoryDesc desc = value.type == ElementType::kFloat32 ? plain_desc(constant_shape) : MemoryDesc();
    if (Parameter* parameter = network_.parameter(id); parameter != nullptr) {
      forms(id).push_back({desc, parameter->data.bytes(), nullptr, MemoryDesc()});
      trainable_[i] = true;
    } else if (value.constant != nullptr) {
      // oneDNN takes memory it only reads by a pointer to what may change; nothing writes through it.
      forms(id).push_back({desc, const_cast<std::byte*>(value.constant->bytes()), nullptr, MemoryDesc()});
    }
  }
  std::vector<int> uses(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (ValueId input : node.inputs) {
      if (input != kNoValue) {
        ++uses[static_cast<std::size_t>(input)];
      }
    }
  }
  for (ValueId output : graph.outputs) {
    ++uses[static_cast<std::size_t>(output)];
  }
  for (ValueId input : graph.inputs) {
    const Value& value = graph.value(input);
    MemoryDesc desc = value.type == ElementType::kFloat32 ? plain_desc(shape(input)) : MemoryDesc();
    add_form(input, desc, plain_bytes_of(value.type, shape(input)));
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    ZP_RETURN_IF_ERROR(prepare_node(i).at(describe(graph.nodes[i])));
    release_inputs_of(graph.nodes[i], uses);
  }
  for (ValueId output : graph.outputs) {
    bool is_float = graph.value(output).type == ElementType::kFloat32;
    outputs_.push_back(is_float ? form_as(output, MemoryDesc(), plain_desc(shape(output)), steps_)
                                : forms(output)[0]);
  }
  return {};
}

Status Plan::prepare_node(std::size_t index) {
  const Node& node = network_.graph.nodes[index];
  for (ValueId input : node.inputs) {
    if (input != kNoValue && trainable_[static_cast<std::size_t>(input)]) {
      for (ValueId output : node.outputs) {
        if (output != kNoValue) {
          trainable_[static_cast<std::size_t>(output)] = true;
        }
      }
    }
  }
  StepBuilder builder(*this, index);
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<NodeStep> step,
                      guarded("oneDNN", [&] { return prepare_step(builder); }));
  node_steps_.push_back(step.get());
  steps_.push_back(std::move(step));
  for (ValueId output : node.outputs) {
    if (output != kNoValue) {
      marks_.push_back({steps_.size(), output});
    }
  }
  return {};
}

void Plan::release_inputs_of(const Node& node, std::vector<int>& uses) {
  if (network_.training) {
    return;  // the backward pass reads them
  }
  auto release = [&](ValueId id) {
    for (Form& form : forms(id)) {
      form.buffer.reset();
    }
  };
  for (ValueId input : node.inputs) {
    if (input != kNoValue && --uses[static_cast<std::size_t>(input)] == 0) {
      release(input);
    }
  }
  for (ValueId output : node.outputs) {
    if (output != kNoValue && uses[static_cast<std::size_t>(output)] == 0) {
      release(output);
    }
  }
}

Tensor Plan::plain_copy(ValueId id, const Form& form) {
  Tensor copy(network_.graph.value(id).type, shape(id));
  if (copy.type() == ElementType::kFloat32 && form.desc != plain_desc(shape(id))) {
    copy_layout(memory_of(form), dnnl::memory(plain_desc(shape(id)), network_.engine, copy.bytes()));
  } else {
    std::memcpy(copy.bytes(), form.data, copy.byte_size());
  }
  return copy;
}

Status Plan::show(ValueId id, const ValueObserver& observer) {
  if (!observer.values.empty() && !contains(observer.values, id)) {
    return {};
  }
  // Only the form that its producer made is there at this point.
  const Form& form = forms(id)[0];
  ElementType type = network_.graph.value(id).type;
  MemoryDesc plain = type == ElementType::kFloat32 ? plain_desc(shape(id)) : form.desc;
  std::byte* data = form.data;
  if (form.desc != plain) {
    if (shown_.byte_size() < plain.get_size()) {
      shown_ = Tensor(ElementType::kUint8, {static_cast<std::int64_t>(plain.get_size())});
    }
    data = shown_.bytes();
    copy_layout(memory_of(form), dnnl::memory(plain, network_.engine, data));
  }
  return observer.on_value(id, Tensor::borrow(type, shape(id), data));
}

Result<std::vector<Tensor>> Plan::run(std::span<const Tensor> inputs, const ValueObserver* observer) {
  const Graph& graph = network_.graph;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::memcpy(forms(graph.inputs[i])[0].data, inputs[i].bytes(), inputs[i].byte_size());
    if (observer != nullptr) {
      ZP_RETURN_IF_ERROR(show(graph.inputs[i], *observer));
    }
  }
  std::size_t mark = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    ZP_RETURN_IF_ERROR(steps_[i]->run());
    while (observer != nullptr && mark < marks_.size() && marks_[mark].steps == i + 1) {
      ZP_RETURN_IF_ERROR(show(marks_[mark++].value, *observer));
    }
  }
  std::vector<Tensor> outputs;
  outputs.reserve(graph.outputs.size());
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    outputs.push_back(plain_copy(graph.outputs[i], outputs_[i]));
  }
  return outputs;
}

Status Plan::prepare_backward() {
  const Graph& graph = network_.graph;
  backward_steps_.clear();  // what an earlier, failed preparation left
  std::fill(gradients_.begin(), gradients_.end(), std::nullopt);
  for (ValueId output : graph.outputs) {
    MemoryDesc desc = plain_desc(shape(output));
    std::shared_ptr<BufferStore::Buffer> buffer = store_.acquire(desc.get_size());
    std::byte* data = buffer->bytes.bytes();
    gradient(output) = Form{desc, data, std::move(buffer), MemoryDesc()};
  }
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    ValueId output = graph.nodes[i].outputs[0];
    if (!trainable_[static_cast<std::size_t>(output)] || !gradient(output).has_value()) {
      continue;
    }
    GradientBuilder builder(*this, i);
    Result<std::unique_ptr<Step>> step =
        guarded("oneDNN", [&] { return node_steps_[i]->prepare_gradient(builder); });
    ZP_RETURN_IF_ERROR(step.status().at(describe(graph.nodes[i])));
    if (*step != nullptr) {
      backward_steps_.push_back(*std::move(step));
    }
    std::move(builder.after_.begin(), builder.after_.end(), std::back_inserter(backward_steps_));
  }
  backward_ready_ = true;
  return {};
}

Status Plan::check_output_gradients(std::span<const Tensor> gradients) const {
  const std::vector<ValueId>& outputs = network_.graph.outputs;
  if (gradients.size() != outputs.size()) {
    return Status::invalid_argument(
        fmt::format("{} gradients are given; the graph has {} outputs", gradients.size(), outputs.size()));
  }
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const Tensor& gradient = gradients[i];
    if (gradient.type() != ElementType::kFloat32 || gradient.shape() != shape(outputs[i])) {
      return Status::invalid_argument(
          fmt::format("the gradient of '{}' is {} {}; float32 {} is needed",
                      network_.graph.value(outputs[i]).name, zeropoint::name_of(gradient.type()),
                      zeropoint::to_string(gradient.shape()), zeropoint::to_string(shape(outputs[i]))));
    }
  }
  return {};
}

Status Plan::run_backward(std::span<const Tensor> output_gradients) {
  if (!backward_ready_) {
    ZP_RETURN_IF_ERROR(prepare_backward());
  }
  const Graph& graph = network_.graph;
  for (std::size_t i = 0; i < output_gradients.size(); ++i) {
    std::memcpy(gradient(graph.outputs[i])->data, output_gradients[i].bytes(),
                output_gradients[i].byte_size());
  }
  for (const std::unique_ptr<Step>& step : backward_steps_) {
    ZP_RETURN_IF_ERROR(step->run());
  }
  return {};
}

}  // namespace zeropoint::toolchain
