#include "engine/infer_shapes.h"

#include <algorithm>
#include <string>

#include "declared_shape.h"
#include "engine/operation_shapes.h"
#include "engine/packed_weights.h"
#include "engine/run_operation.h"
#include "operators/broadcast.h"
#include "operators/matmul_geometry.h"
#include "reference/operations.h"

namespace zeropoint::engine {
namespace {

/// The inputs of an operator whose values, not their shapes alone, decide the shape of what it gives.
std::vector<std::size_t> deciding_inputs(Op op) {
  switch (op) {
    case Op::kReshape:
    case Op::kExpand:
    case Op::kTile:
    case Op::kTopK:
    case Op::kOneHot:
    case Op::kUnsqueeze:
    case Op::kSqueeze:
    case Op::kSplit:
    case Op::kMaxUnpool:
      return {1, 2};
    case Op::kPad:
      return {1, 3};
    case Op::kSlice:
      return {1, 2, 3, 4};
    case Op::kResize:
      return {1, 2, 3};
    case Op::kConstantOfShape:
      return {0};
    case Op::kRange:
      return {0, 1, 2};
    case Op::kReduceL1:
    case Op::kReduceL2:
    case Op::kReduceLogSum:
    case Op::kReduceLogSumExp:
    case Op::kReduceMax:
    case Op::kReduceMean:
    case Op::kReduceMin:
    case Op::kReduceProd:
    case Op::kReduceSum:
    case Op::kReduceSumSquare:
      return {1};
    default:
      return {};
  }
}

bool values_decide(Op op) { return op == Op::kNonZero || op == Op::kCompress; }

/// Integers that are divided by, and scales, must not be 0.
bool refuses_zeros(Op op) {
  switch (op) {
    case Op::kDiv:
    case Op::kMod:
    case Op::kQGemm:
    case Op::kQLinearAdd:
    case Op::kQLinearAveragePool:
    case Op::kQLinearConcat:
    case Op::kQLinearConv:
    case Op::kQLinearGlobalAveragePool:
    case Op::kQLinearLeakyRelu:
    case Op::kQLinearMatMul:
    case Op::kQLinearMul:
    case Op::kQLinearSigmoid:
    case Op::kQLinearSoftmax:
      return true;
    default:
      return false;
  }
}

void fill_with_ones(Tensor& tensor) {
  if (tensor.type() == ElementType::kFloat32) {
    std::span<float> values = tensor.data<float>();
    std::fill(values.begin(), values.end(), 1.0F);
  }
  visit_integer(tensor.type(), [&](auto element) {
    auto values = tensor.data<decltype(element)>();
    std::fill(values.begin(), values.end(), decltype(element){1});
  });
}

std::string declared(const TensorInfo& info) {
  std::string text = "[";
  for (std::size_t i = 0; i < info.shape->size(); ++i) {
    std::int64_t extent = (*info.shape)[i];
    text += (i == 0 ? "" : ", ") + (extent == kOpenExtent ? "?" : std::to_string(extent));
  }
  return text + "]";
}

class Inference {
 public:
  Inference(const Program& program, std::size_t memory_limit) : program_(program), limit_(memory_limit) {
    known_.shapes.resize(program.tensors.size());
    known_.constants.resize(program.tensors.size());
    for (std::size_t i = 0; i < program.tensors.size(); ++i) {
      if (program.tensors[i].constant != nullptr) {
        known_.constants[i] = program.tensors[i].constant;
        known_.shapes[i] = program.tensors[i].constant->shape();
      }
    }
  }

  Result<KnownTensors> infer(std::span<const Shape> inputs) {
    if (inputs.size() != program_.inputs.size()) {
      return Status::invalid_argument("program '", program_.name, "' takes ", program_.inputs.size(),
                                      " inputs, not ", inputs.size());
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const TensorInfo& info = program_.tensor(program_.inputs[i]);
      if (!fits(inputs[i], info.shape) || !element_count(inputs[i]).ok()) {
        return Status::invalid_argument("input '", info.name, "' is ", inputs[i], "; the program needs ",
                                        (info.shape ? declared(info) : "extents of 0 or more"));
      }
      ZP_RETURN_IF_ERROR(check_bytes(info, inputs[i]));
      shape(program_.inputs[i]) = inputs[i];
    }
    for (const Operation& operation : program_.operations) {
      ZP_RETURN_IF_ERROR(infer(operation).at("program '", program_.name, "', operation that makes '",
                                             program_.tensor(outputs_of(operation)[0]).name, "'"));
    }
    return std::move(known_);
  }

  Status operator()(const ConvOp& op) {
    return put(op.output, reference::output_shape(op, *shape(op.input)));
  }

  Status operator()(const FullyConnectedOp& op) {
    Shape out = *shape(op.input);
    if (out.empty() || out.back() != op.layer.weights.dim(1)) {
      return Status::invalid_argument("weights ", op.layer.weights.shape(), " do not fit ", out);
    }
    out.back() = op.layer.weights.dim(0);
    return put(op.output, std::move(out));
  }

  Status operator()(const MatMulOp& op) {
    ZP_ASSIGN_OR_RETURN(operators::MatMulGeometry geometry,
                        operators::MatMulGeometry::of(*shape(op.a), *shape(op.b)));
    return put(op.output, geometry.shape);
  }

  Status operator()(const AddOp& op) {
    return put(op.output, operators::broadcast_shapes(*shape(op.a), *shape(op.b)));
  }

  Status operator()(const QuantizeOp& op) { return put(op.output, *shape(op.input)); }
  Status operator()(const SoftmaxOp& op) { return put(op.output, *shape(op.input)); }
  Status operator()(const TableOp& op) { return put(op.output, *shape(op.input)); }
  Status operator()(const DequantizeOp& op) { return put(op.output, *shape(op.input)); }
  Status operator()(const NormalizeOp& op) { return put(op.output, *shape(op.input)); }
  Status operator()(const ReduceOp& op) { return put(op.output, reduce_output(op, *shape(op.input))); }
  Status operator()(const AveragePoolOp& op) {
    return put(op.output, average_pool_output(op, *shape(op.input)));
  }
  Status operator()(const ArithmeticOp& op) { return by_zeros(op); }

  Status operator()(const EvaluateOp& op) {
    if (op.op == Op::kDequantizeLinear && dequantized_matrix(program_, op, readers_of(op.outputs[0]))) {
      return put(op.outputs[0], *shape(op.inputs[0]));  // its integers stay
    }
    bool constant =
        std::ranges::all_of(op.inputs, [&](TensorId id) { return id == kNoTensor || is_constant(id); });
    if (constant || op.op == Op::kShape || op.op == Op::kSize) {
      return fold(op);
    }
    if (values_decide(op.op)) {
      return {};
    }
    for (std::size_t i : deciding_inputs(op.op)) {
      if (i < op.inputs.size() && op.inputs[i] != kNoTensor && !is_constant(op.inputs[i])) {
        return {};
      }
    }
    if (op.op == Op::kConv) {
      return infer_conv(op);
    }
    if (op.op == Op::kMaxPool && op.outputs.size() == 1) {
      return infer_max_pool(op);
    }
    if (op.op == Op::kMatMul) {
      ZP_RETURN_IF_ERROR(check_type(op.outputs[0], program_.tensor(op.inputs[0]).type));
      ZP_ASSIGN_OR_RETURN(operators::MatMulGeometry geometry,
                          operators::MatMulGeometry::of(*shape(op.inputs[0]), *shape(op.inputs[1])));
      return put(op.outputs[0], geometry.shape);
    }
    return by_zeros(op);
  }

 private:
  std::optional<Shape>& shape(TensorId id) { return known_.shapes[static_cast<std::size_t>(id)]; }
  [[nodiscard]] bool is_constant(TensorId id) const {
    return known_.constants[static_cast<std::size_t>(id)] != nullptr;
  }

  [[nodiscard]] std::vector<std::size_t> readers_of(TensorId id) const {
    std::vector<std::size_t> readers;
    for (std::size_t i = 0; i < program_.operations.size(); ++i) {
      std::vector<TensorId> inputs = inputs_of(program_.operations[i]);
      if (std::ranges::find(inputs, id) != inputs.end()) {
        readers.push_back(i);
      }
    }
    return readers;
  }

  Status infer(const Operation& operation) {
    for (TensorId id : inputs_of(operation)) {
      if (!shape(id)) {
        return {};  // so is nothing known of what it makes
      }
    }
    return std::visit(*this, operation);
  }

  Status check_type(TensorId id, ElementType made) const {
    const TensorInfo& info = program_.tensor(id);
    return made == info.type ? Status()
                             : Status::invalid_argument("it gives ", name_of(made), " where ",
                                                        name_of(info.type), " was declared");
  }

  Status put(TensorId id, const Tensor& made) {
    ZP_RETURN_IF_ERROR(check_type(id, made.type()));
    return put(id, made.shape());
  }

  Status put(TensorId id, Result<Shape> result) {
    ZP_ASSIGN_OR_RETURN(Shape made, std::move(result));
    const TensorInfo& info = program_.tensor(id);
    if (!fits(made, info.shape)) {
      return Status::invalid_argument("it gives ", made, " where ", declared(info), " was declared");
    }
    ZP_RETURN_IF_ERROR(check_bytes(info, made));
    shape(id) = std::move(made);
    return {};
  }

  [[nodiscard]] Status check_bytes(const TensorInfo& info, const Shape& shape) const {
    Result<std::int64_t> count = element_count(shape);
    bool fits = count.ok() && static_cast<std::size_t>(*count) <= limit_ / size_of(info.type);
    return fits ? Status()
                : Status::resource_exhausted("'", info.name, "' of shape ", shape, " is too large");
  }

  /// Computes what depends on constants, or on a shape alone.
  Status fold(const EvaluateOp& op) {
    std::vector<Tensor> shapes_only;
    shapes_only.reserve(op.inputs.size());
    std::vector<const Tensor*> inputs;
    for (TensorId id : op.inputs) {
      const Tensor* known = id == kNoTensor ? nullptr : known_.constants[static_cast<std::size_t>(id)].get();
      if (id != kNoTensor && known == nullptr) {
        shapes_only.push_back(Tensor::borrow(program_.tensor(id).type, *shape(id), nullptr));
        known = &shapes_only.back();
      }
      inputs.push_back(known);
    }
    ZP_ASSIGN_OR_RETURN(
        std::vector<Tensor> made,
        evaluate(OperatorCall(op.op, op.attributes, inputs, op.outputs.size(), limit_ - computed_)));
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
      if (op.outputs[i] != kNoTensor) {
        computed_ += std::min(made[i].byte_size(), limit_ - computed_);
        ZP_RETURN_IF_ERROR(put(op.outputs[i], made[i]));
        known_.constants[static_cast<std::size_t>(op.outputs[i])] =
            std::make_shared<const Tensor>(std::move(made[i]));
      }
    }
    return {};
  }

  Status infer_conv(const EvaluateOp& op) {
    const Shape& in = *shape(op.inputs[0]);
    const Shape& w = *shape(op.inputs[1]);
    if (in.size() < 3 || w.size() != in.size()) {
      return by_zeros(op);
    }
    ZP_RETURN_IF_ERROR(check_type(op.outputs[0], program_.tensor(op.inputs[0]).type));
    ZP_ASSIGN_OR_RETURN(WindowGeometry window,
                        window_geometry(op.op, op.attributes, in, {w.begin() + 2, w.end()}));
    Shape out{in[0], w[0]};
    out.insert(out.end(), window.output.begin(), window.output.end());
    return put(op.outputs[0], std::move(out));
  }

  Status infer_max_pool(const EvaluateOp& op) {
    const Shape& in = *shape(op.inputs[0]);
    if (in.size() < 3) {
      return by_zeros(op);
    }
    ZP_RETURN_IF_ERROR(check_type(op.outputs[0], program_.tensor(op.inputs[0]).type));
    ZP_ASSIGN_OR_RETURN(WindowGeometry window, window_geometry(op.op, op.attributes, in, {}));
    Shape out{in[0], in[1]};
    out.insert(out.end(), window.output.begin(), window.output.end());
    return put(op.outputs[0], std::move(out));
  }

  /// What the operation gives for zeros has the shape of what it gives for anything, unless it refuses them:
  /// then ones take their place. Not for all operators, since an index of 1 can be out of range.
  Status by_zeros(const EvaluateOp& op) { return by_zeros(op, refuses_zeros(op.op)); }
  template <typename Op>
  Status by_zeros(const Op& op, bool ones = false) {
    std::vector<Tensor> zeros;
    std::vector<TensorId> ids = inputs_of(Operation(op));
    zeros.reserve(ids.size());
    std::vector<const Tensor*> values(program_.tensors.size(), nullptr);
    for (TensorId id : ids) {
      auto at = static_cast<std::size_t>(id);
      if (known_.constants[at] != nullptr) {
        values[at] = known_.constants[at].get();
      } else if (values[at] == nullptr) {
        zeros.emplace_back(program_.tensor(id).type, *shape(id));
        values[at] = &zeros.back();
        if (ones) {
          fill_with_ones(zeros.back());
        }
      }
    }
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> made, run_operation(program_, Operation(op), values, limit_));
    std::vector<TensorId> outputs = outputs_of(Operation(op));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      ZP_RETURN_IF_ERROR(put(outputs[i], made[i]));
    }
    return {};
  }

  const Program& program_;
  std::size_t limit_;
  std::size_t computed_ = 0;  // bytes of constants
  KnownTensors known_;
};

}  // namespace

Result<KnownTensors> infer_shapes(const Program& program, std::span<const Shape> input_shapes,
                                  std::size_t memory_limit) {
  return Inference(program, memory_limit).infer(input_shapes);
}

}  // namespace zeropoint::engine
