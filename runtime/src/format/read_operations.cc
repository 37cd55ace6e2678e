#include "format/read_operations.h"

namespace zeropoint::format {
namespace {

class OperationReader {
 public:
  explicit OperationReader(ValueReader& reader) : reader_(reader) {}

  Operation read(const zpm::QuantizeOp& op) {
    return QuantizeOp{op.input(), op.output(), ValueReader::quantization(op.to())};
  }
  Operation read(const zpm::DequantizeOp& op) {
    return DequantizeOp{op.input(), op.output(), reader_.dequantization(op.from())};
  }
  Operation read(const zpm::ConvOp& op) {
    return ConvOp{op.input(), op.output(),          reader_.layer(op.layer()), reader_.window(op.window()),
                  op.group(), op.input_zero_point()};
  }
  Operation read(const zpm::FullyConnectedOp& op) {
    return FullyConnectedOp{op.input(), op.output(), reader_.layer(op.layer())};
  }
  Operation read(const zpm::MatMulOp& op) {
    return MatMulOp{op.a(),
                    op.b(),
                    op.output(),
                    op.a_zero_point(),
                    op.b_zero_point(),
                    reader_.requantization(op.requantization())};
  }
  Operation read(const zpm::AddOp& op) {
    return AddOp{op.a(),
                 op.b(),
                 op.output(),
                 ValueReader::params(op.a_params()),
                 ValueReader::params(op.b_params()),
                 ValueReader::quantization(op.to())};
  }
  Operation read(const zpm::TableOp& op) {
    return TableOp{op.input(), op.output(), reader_.tensor(op.tables()), op.axis()};
  }
  Operation read(const zpm::ArithmeticOp& op) {
    ArithmeticOp read;
    each(op.inputs(), [&](const zpm::ArithmeticInput* input) {
      read.inputs.push_back({input->tensor(), reader_.dequantization(input->from())});
    });
    each(op.constants(),
         [&](const zpm::Tensor* constant) { read.constants.push_back(reader_.tensor(constant)); });
    each(op.steps(), [&](const zpm::ArithmeticStep* step) {
      read.steps.push_back({reader_.op(step->op()), reader_.attributes(step->op()->attributes()),
                            reader_.list(step->operands())});
    });
    read.output = op.output();
    read.to = ValueReader::quantization(op.to());
    return read;
  }
  Operation read(const zpm::ReduceOp& op) {
    return ReduceOp{op.input(),
                    op.output(),
                    reader_.list(op.axes()),
                    op.keep_axes(),
                    op.mean(),
                    ValueReader::params(op.from()),
                    ValueReader::quantization(op.to())};
  }
  Operation read(const zpm::AveragePoolOp& op) {
    return AveragePoolOp{op.input(), op.output(), reader_.attributes(op.attributes()),
                         ValueReader::params(op.from()), ValueReader::quantization(op.to())};
  }
  Operation read(const zpm::SoftmaxOp& op) {
    return SoftmaxOp{op.input(),
                     op.output(),
                     op.axis(),
                     op.logarithm(),
                     op.scale(),
                     reader_.list(op.exponentials()),
                     ValueReader::quantization(op.to())};
  }
  Operation read(const zpm::NormalizeOp& op) {
    if (op.kind() > zpm::NormalizeKind::MAX) {
      reader_.fail("there is no such kind of normalization");
    }
    return NormalizeOp{op.input(),
                       op.output(),
                       static_cast<NormalizeOp::Kind>(op.kind()),
                       op.axis(),
                       op.groups(),
                       op.epsilon(),
                       reader_.list(op.gain()),
                       reader_.list(op.bias()),
                       ValueReader::params(op.from()),
                       ValueReader::quantization(op.to())};
  }
  Operation read(const zpm::EvaluateOp& op) {
    return EvaluateOp{reader_.op(op.op()), reader_.attributes(op.op()->attributes()),
                      reader_.list(op.inputs()), reader_.list(op.outputs())};
  }

 private:
  template <typename Element, typename Function>
  void each(const flatbuffers::Vector<flatbuffers::Offset<Element>>* list, Function&& function) {
    for (flatbuffers::uoffset_t i = 0; list != nullptr && reader_.status().ok() && i < list->size(); ++i) {
      function(list->Get(i));
    }
  }

  ValueReader& reader_;
};

}  // namespace

Operation read_operation(ValueReader& reader, const zpm::Operation* operation) {
  OperationReader operations(reader);
  switch (operation->content_type()) {
#define ZP_READ(name)           \
  case zpm::AnyOperation::name: \
    return operations.read(*operation->content_as_##name());
    ZP_READ(QuantizeOp)
    ZP_READ(DequantizeOp)
    ZP_READ(ConvOp)
    ZP_READ(FullyConnectedOp)
    ZP_READ(MatMulOp)
    ZP_READ(AddOp)
    ZP_READ(TableOp)
    ZP_READ(ArithmeticOp)
    ZP_READ(ReduceOp)
    ZP_READ(AveragePoolOp)
    ZP_READ(SoftmaxOp)
    ZP_READ(NormalizeOp)
    ZP_READ(EvaluateOp)
#undef ZP_READ
    case zpm::AnyOperation::NONE:
      break;
  }
  reader.fail("an operation is of no known kind");
  return QuantizeOp{};
}

}  // namespace zeropoint::format
