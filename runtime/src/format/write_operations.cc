#include "format/write_operations.h"

#include <type_traits>

#include "format/layout.h"
#include "format/packed_integers.h"

namespace zeropoint::format {
namespace {

zpm::QuantParams params(QuantParams params) { return {params.scale, params.zero_point}; }

zpm::Quantization quantization(const Quantization& to) {
  return {to.params.scale, to.params.zero_point, to.range.q_min, to.range.q_max};
}

std::string bytes_of(const std::byte* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

std::uint64_t DataSection::add(std::string bytes) {
  std::size_t taken = aligned(bytes.size());
  auto [place, is_new] = places_.try_emplace(std::move(bytes), size_);
  if (is_new) {
    pieces_.push_back(&place->first);
    size_ += taken;
  }
  return place->second;
}

flatbuffers::Offset<zpm::Tensor> OperationWriter::tensor(const Tensor& tensor) {
  int bits = packed_bits(tensor);
  std::uint64_t offset = 0;
  if (bits == 0) {
    offset = data_.add(bytes_of(tensor.bytes(), tensor.byte_size()));
  } else {
    std::vector<std::byte> packed = pack(tensor, bits);
    offset = data_.add(bytes_of(packed.data(), packed.size()));
  }
  return zpm::CreateTensor(builder_, static_cast<std::uint8_t>(tensor.type()),
                           builder_.CreateVector(tensor.shape()), offset, static_cast<std::uint8_t>(bits));
}

flatbuffers::Offset<zpm::Operation> OperationWriter::write(const Operation& operation) {
  Content written = std::visit([&](const auto& op) { return content(op); }, operation);
  return zpm::CreateOperation(builder_, written.kind, written.offset);
}

flatbuffers::Offset<zpm::Dequantization> OperationWriter::dequantization(const Dequantization& from) {
  return zpm::CreateDequantization(builder_, builder_.CreateVector(from.scales), from.zero_point, from.axis);
}

flatbuffers::Offset<zpm::Requantization> OperationWriter::requantization(const Requantization& how) {
  flatbuffers::Offset<flatbuffers::Vector<float>> floats;
  flatbuffers::Offset<flatbuffers::Vector<const zpm::FixedPointMultiplier*>> fixed;
  if (const auto* multipliers = std::get_if<std::vector<float>>(&how.multipliers)) {
    floats = builder_.CreateVector(*multipliers);
  } else {
    std::vector<zpm::FixedPointMultiplier> list;
    for (FixedPointMultiplier one : std::get<std::vector<FixedPointMultiplier>>(how.multipliers)) {
      list.emplace_back(one.mantissa, one.shift);
    }
    fixed = builder_.CreateVectorOfStructs(list);
  }
  return zpm::CreateRequantization(builder_, floats, fixed, how.zero_point, how.clamp.q_min, how.clamp.q_max);
}

flatbuffers::Offset<zpm::LinearLayer> OperationWriter::layer(const LinearLayer& layer) {
  auto weights = tensor(layer.weights);
  auto bias = builder_.CreateVector(layer.folded_bias);
  flatbuffers::Offset<zpm::Requantization> how;
  if (layer.requantization) {
    how = requantization(*layer.requantization);
  }
  return zpm::CreateLinearLayer(builder_, weights, bias, static_cast<std::uint8_t>(layer.accumulator), how);
}

flatbuffers::Offset<zpm::Window> OperationWriter::window(const Window& window) {
  auto strides = builder_.CreateVector(window.strides);
  auto dilations = builder_.CreateVector(window.dilations);
  auto holes = builder_.CreateVector(window.holes);
  auto pads_begin = builder_.CreateVector(window.pads_begin);
  auto pads_end = builder_.CreateVector(window.pads_end);
  return zpm::CreateWindow(builder_, strides, dilations, holes, pads_begin, pads_end);
}

flatbuffers::Offset<zpm::Attribute> OperationWriter::attribute(const std::string& name,
                                                               const Attribute& attribute) {
  auto named = builder_.CreateString(name);
  auto write = [&](zpm::AttributeKind kind, auto&& add) {
    zpm::AttributeBuilder made(builder_);
    made.add_name(named);
    made.add_kind(kind);
    add(made);
    return made.Finish();
  };
  return std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::int64_t>) {
          return write(zpm::AttributeKind::Int, [&](auto& made) { made.add_int_value(value); });
        } else if constexpr (std::is_same_v<T, float>) {
          return write(zpm::AttributeKind::Float, [&](auto& made) { made.add_float_value(value); });
        } else if constexpr (std::is_same_v<T, std::string>) {
          auto text = builder_.CreateString(value);
          return write(zpm::AttributeKind::String, [&](auto& made) { made.add_string_value(text); });
        } else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
          auto list = builder_.CreateVector(value);
          return write(zpm::AttributeKind::Ints, [&](auto& made) { made.add_ints(list); });
        } else if constexpr (std::is_same_v<T, std::vector<float>>) {
          auto list = builder_.CreateVector(value);
          return write(zpm::AttributeKind::Floats, [&](auto& made) { made.add_floats(list); });
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          auto list = builder_.CreateVectorOfStrings(value);
          return write(zpm::AttributeKind::Strings, [&](auto& made) { made.add_strings(list); });
        } else {
          auto written = tensor(*value);
          return write(zpm::AttributeKind::Tensor, [&](auto& made) { made.add_tensor(written); });
        }
      },
      attribute);
}

OperationWriter::Offsets<zpm::Attribute> OperationWriter::attributes(const Attributes& attributes) {
  std::vector<flatbuffers::Offset<zpm::Attribute>> list;
  for (const auto& [name, value] : attributes) {
    list.push_back(attribute(name, value));
  }
  return builder_.CreateVector(list);
}

flatbuffers::Offset<zpm::Operator> OperationWriter::op(Op op, const Attributes& attributes) {
  const OpInfo& info = info_of(op);
  auto name = builder_.CreateString(info.name.data(), info.name.size());
  auto domain = builder_.CreateString(info.domain.data(), info.domain.size());
  auto list = this->attributes(attributes);
  return zpm::CreateOperator(builder_, name, domain, info.since, list);
}

OperationWriter::Content OperationWriter::content(const QuantizeOp& op) {
  zpm::Quantization to = quantization(op.to);
  return of(zpm::CreateQuantizeOp(builder_, op.input, op.output, &to));
}

OperationWriter::Content OperationWriter::content(const DequantizeOp& op) {
  return of(zpm::CreateDequantizeOp(builder_, op.input, op.output, dequantization(op.from)));
}

OperationWriter::Content OperationWriter::content(const ConvOp& op) {
  auto written = layer(op.layer);
  auto lies = window(op.window);
  return of(zpm::CreateConvOp(builder_, op.input, op.output, written, lies, op.group, op.input_zero_point));
}

OperationWriter::Content OperationWriter::content(const FullyConnectedOp& op) {
  return of(zpm::CreateFullyConnectedOp(builder_, op.input, op.output, layer(op.layer)));
}

OperationWriter::Content OperationWriter::content(const MatMulOp& op) {
  return of(zpm::CreateMatMulOp(builder_, op.a, op.b, op.output, op.a_zero_point, op.b_zero_point,
                                requantization(op.requantization)));
}

OperationWriter::Content OperationWriter::content(const AddOp& op) {
  zpm::QuantParams a = params(op.a_params);
  zpm::QuantParams b = params(op.b_params);
  zpm::Quantization to = quantization(op.to);
  return of(zpm::CreateAddOp(builder_, op.a, op.b, op.output, &a, &b, &to));
}

OperationWriter::Content OperationWriter::content(const TableOp& op) {
  return of(zpm::CreateTableOp(builder_, op.input, op.output, tensor(op.tables), op.axis));
}

OperationWriter::Content OperationWriter::content(const ArithmeticOp& op) {
  std::vector<flatbuffers::Offset<zpm::ArithmeticInput>> inputs;
  for (const ArithmeticOp::Input& input : op.inputs) {
    inputs.push_back(zpm::CreateArithmeticInput(builder_, input.tensor, dequantization(input.from)));
  }
  std::vector<flatbuffers::Offset<zpm::Tensor>> constants;
  for (const Tensor& constant : op.constants) {
    constants.push_back(tensor(constant));
  }
  std::vector<flatbuffers::Offset<zpm::ArithmeticStep>> steps;
  for (const ArithmeticOp::Step& step : op.steps) {
    auto written = this->op(step.op, step.attributes);
    steps.push_back(zpm::CreateArithmeticStep(builder_, written, builder_.CreateVector(step.operands)));
  }
  auto all_inputs = builder_.CreateVector(inputs);
  auto all_constants = builder_.CreateVector(constants);
  auto all_steps = builder_.CreateVector(steps);
  zpm::Quantization to = quantization(op.to);
  return of(zpm::CreateArithmeticOp(builder_, all_inputs, all_constants, all_steps, op.output, &to));
}

OperationWriter::Content OperationWriter::content(const ReduceOp& op) {
  zpm::QuantParams from = params(op.from);
  zpm::Quantization to = quantization(op.to);
  return of(zpm::CreateReduceOp(builder_, op.input, op.output, builder_.CreateVector(op.axes), op.keep_axes,
                                op.mean, &from, &to));
}

OperationWriter::Content OperationWriter::content(const AveragePoolOp& op) {
  zpm::QuantParams from = params(op.from);
  zpm::Quantization to = quantization(op.to);
  return of(zpm::CreateAveragePoolOp(builder_, op.input, op.output, attributes(op.attributes), &from, &to));
}

OperationWriter::Content OperationWriter::content(const SoftmaxOp& op) {
  zpm::Quantization to = quantization(op.to);
  return of(zpm::CreateSoftmaxOp(builder_, op.input, op.output, op.axis, op.logarithm, op.scale,
                                 builder_.CreateVector(op.exponentials), &to));
}

OperationWriter::Content OperationWriter::content(const NormalizeOp& op) {
  auto gain = builder_.CreateVector(op.gain);
  auto bias = builder_.CreateVector(op.bias);
  zpm::QuantParams from = params(op.from);
  zpm::Quantization to = quantization(op.to);
  return of(zpm::CreateNormalizeOp(builder_, op.input, op.output, static_cast<zpm::NormalizeKind>(op.kind),
                                   op.axis, op.groups, op.epsilon, gain, bias, &from, &to));
}

OperationWriter::Content OperationWriter::content(const EvaluateOp& op) {
  auto written = this->op(op.op, op.attributes);
  auto inputs = builder_.CreateVector(op.inputs);
  auto outputs = builder_.CreateVector(op.outputs);
  return of(zpm::CreateEvaluateOp(builder_, written, inputs, outputs));
}

}  // namespace zeropoint::format
