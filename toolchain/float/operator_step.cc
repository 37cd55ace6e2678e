// Any operator, computed by its plain evaluation on row-major tensors.

#include <cstring>

#include "float/builders.h"
#include "float/step_table.h"

namespace zeropoint::toolchain {
namespace {

class OperatorStep final : public NodeStep {
 public:
  explicit OperatorStep(StepBuilder& builder) : node_(builder.node()) {
    inputs_.reserve(node_.inputs.size());  // inputs_ is pointed into
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      if (!builder.has_input(i)) {
        arguments_.push_back(nullptr);
        continue;
      }
      // An evaluation only reads its inputs.
      auto* bytes = const_cast<std::byte*>(builder.plain_bytes(i));
      inputs_.push_back(Tensor::borrow(builder.type(i), builder.shape(i), bytes));
      arguments_.push_back(&inputs_.back());
    }
    for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
      if (builder.has_output(i)) {
        outputs_.push_back({i, builder.output_type(i), builder.output_shape(i), builder.output_bytes(i)});
      }
    }
  }

  Status run() override {
    OperatorCall call(node_.op, node_.attributes, arguments_, node_.outputs.size());
    Result<std::vector<Tensor>> results = evaluate(call);
    ZP_RETURN_IF_ERROR(results.status().at(describe(node_)));
    for (const Output& output : outputs_) {
      const Tensor& result = (*results)[output.index];
      if (result.type() != output.type || result.shape() != output.shape) {
        return Status::internal(describe(node_) + " gave " + zeropoint::to_string(result.shape()) +
                                " where " + zeropoint::to_string(output.shape) + " was inferred");
      }
      std::memcpy(output.bytes, result.bytes(), result.byte_size());
    }
    return {};
  }

 private:
  struct Output {
    std::size_t index;
    ElementType type;
    Shape shape;
    std::byte* bytes;
  };
  Node node_;
  std::vector<Tensor> inputs_;
  std::vector<const Tensor*> arguments_;
  std::vector<Output> outputs_;
};

}  // namespace

Result<std::unique_ptr<NodeStep>> prepare_operator(StepBuilder& builder) {
  return std::unique_ptr<NodeStep>(std::make_unique<OperatorStep>(builder));
}

}  // namespace zeropoint::toolchain
