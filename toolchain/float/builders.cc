#include "float/builders.h"

#include <algorithm>

namespace zeropoint::toolchain {

Result<std::unique_ptr<Step>> NodeStep::prepare_gradient(GradientBuilder& /*builder*/) {
  return Status::unsupported("this operator cannot be trained through");
}

const Tensor* StepBuilder::constant(std::size_t i) const {
  return has_input(i) && plan_.network_.is_constant(node().inputs[i]) ? value(i).constant.get() : nullptr;
}

dnnl::memory StepBuilder::input(std::size_t i, const MemoryDesc& want, const MemoryDesc& read_as) {
  return plan_.memory_of(plan_.form_as(node().inputs[i], read_as, want, plan_.steps_));
}

dnnl::memory StepBuilder::output(const MemoryDesc& desc) {
  return plan_.memory_of(plan_.add_form(node().outputs[0], desc, desc.get_size()));
}

const std::byte* StepBuilder::plain_bytes(std::size_t i) {
  ValueId id = node().inputs[i];
  if (type(i) != ElementType::kFloat32) {
    return plan_.forms(id)[0].data;
  }
  return plan_.form_as(id, MemoryDesc(), plain_desc(shape(i)), plan_.steps_).data;
}

std::byte* StepBuilder::output_bytes(std::size_t i) {
  bool is_float = output_type(i) == ElementType::kFloat32;
  MemoryDesc desc = is_float ? plain_desc(output_shape(i)) : MemoryDesc();
  return plan_.add_form(node().outputs[i], desc, count_of(output_shape(i)) * size_of(output_type(i))).data;
}

bool StepBuilder::is_float32() const {
  auto is_float = [&](ValueId id) {
    return id == kNoValue || plan_.network_.graph.value(id).type == ElementType::kFloat32;
  };
  return std::all_of(node().inputs.begin(), node().inputs.end(), is_float) &&
         std::all_of(node().outputs.begin(), node().outputs.end(), is_float);
}

void StepBuilder::forward_input(std::size_t i) {
  ValueId id = node().inputs[i];
  Form form = type(i) == ElementType::kFloat32
                  ? plan_.form_as(id, MemoryDesc(), plain_desc(shape(i)), plan_.steps_)
                  : plan_.forms(id)[0];
  if (type(i) == ElementType::kFloat32) {
    form.desc = plain_desc(output_shape());
  }
  plan_.forms(node().outputs[0]).push_back(form);
}

void StepBuilder::share_input(std::size_t i) {
  plan_.forms(node().outputs[0]).push_back(plan_.forms(node().inputs[i])[0]);
}

bool StepBuilder::may_overwrite_input(std::size_t i) const { return plan_.may_overwrite(node().inputs[i]); }

bool GradientBuilder::wanted(std::size_t i) const {
  return i < node().inputs.size() && node().inputs[i] != kNoValue &&
         plan_.trainable_[static_cast<std::size_t>(node().inputs[i])];
}

void GradientBuilder::add_reorder(const dnnl::memory& from, const dnnl::memory& to, bool accumulate,
                                  std::vector<std::unique_ptr<Step>>& steps) {
  auto step = std::make_unique<PrimitiveStep>(stream());
  step->add(dnnl::reorder(reorder(engine(), from.get_desc(), to.get_desc(), accumulate)),
            {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
  steps.push_back(std::move(step));
}

dnnl::memory GradientBuilder::output_gradient(const MemoryDesc& want) {
  const Form& form = *plan_.gradient(node().outputs[0]);
  if (form.desc == want) {
    return plan_.memory_of(form);
  }
  dnnl::memory laid_out(want, engine());
  add_reorder(plan_.memory_of(form), laid_out, false, plan_.backward_steps_);
  return laid_out;
}

dnnl::memory GradientBuilder::input(std::size_t i, const MemoryDesc& want, const MemoryDesc& read_as) {
  return plan_.memory_of(plan_.form_as(node().inputs[i], read_as, want, plan_.backward_steps_));
}

dnnl::memory GradientBuilder::input_gradient(std::size_t i, const MemoryDesc& desc,
                                             const MemoryDesc& read_as) {
  ValueId id = node().inputs[i];
  std::optional<Form>& sum = plan_.gradient(id);
  Parameter* parameter = plan_.network_.parameter(id);
  bool first = !sum.has_value();
  if (first && parameter == nullptr) {
    std::shared_ptr<BufferStore::Buffer> buffer = plan_.store_.acquire(desc.get_size());
    std::byte* data = buffer->bytes.bytes();
    sum = Form{desc, data, std::move(buffer), MemoryDesc()};
    return plan_.memory_of(*sum);
  }
  if (first) {
    sum = Form{plain_desc(shape(i)), parameter->gradient.bytes(), nullptr, MemoryDesc()};
  }
  Form target = *sum;
  if (read_as != MemoryDesc()) {
    target.desc = read_as;
  }
  if (first && target.desc == desc) {
    return plan_.memory_of(target);
  }
  dnnl::memory part(desc, engine());
  add_reorder(part, plan_.memory_of(target), !first, after_);
  return part;
}

dnnl::memory GradientBuilder::input_gradient_over(std::size_t i, const dnnl::memory& output_gradient) {
  const Form& form = *plan_.gradient(node().outputs[0]);
  std::optional<Form>& sum = plan_.gradient(node().inputs[i]);
  bool in_place = !sum.has_value() && plan_.network_.parameter(node().inputs[i]) == nullptr &&
                  output_gradient.get_data_handle() == form.data;
  if (!in_place) {
    return input_gradient(i, output_gradient.get_desc());
  }
  sum = form;
  return output_gradient;
}

void GradientBuilder::forward_gradient(std::size_t i) {
  dnnl::memory from = output_gradient(plain_desc(plan_.shape(node().outputs[0])));
  std::optional<Form>& sum = plan_.gradient(node().inputs[i]);
  MemoryDesc desc = plain_desc(shape(i));
  if (sum.has_value()) {
    dnnl::memory part(desc, engine(), from.get_data_handle());
    add_reorder(part, plan_.memory_of(*sum), true, after_);
    return;
  }
  // `from` may own its memory, which the aliasing form must keep alive; copying is as cheap as it is rare.
  Form form{desc, static_cast<std::byte*>(from.get_data_handle()), nullptr, MemoryDesc()};
  if (plan_.gradient(node().outputs[0])->data != form.data) {
    std::shared_ptr<BufferStore::Buffer> buffer = plan_.store_.acquire(desc.get_size());
    form.data = buffer->bytes.bytes();
    form.buffer = std::move(buffer);
    dnnl::memory part(desc, engine(), from.get_data_handle());
    add_reorder(part, plan_.memory_of(form), false, after_);
  }
  sum = std::move(form);
}

}  // namespace zeropoint::toolchain
