#include "zeropoint/program.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "narrow_elements.h"
#include "zeropoint/integer_ranges.h"

namespace zeropoint {
namespace {

std::string describe(const TensorInfo& info) {
  return "'" + info.name + "' " + std::string(name_of(info.type)) +
         (info.shape ? to_string(*info.shape) : "");
}

/// A list of multipliers is of one of two kinds.
struct IsSound {
  bool operator()(float multiplier) const { return std::isnormal(multiplier) && multiplier > 0; }
  bool operator()(FixedPointMultiplier multiplier) const {
    bool normal = multiplier.mantissa >= 1 << 30 || multiplier.mantissa == 0;
    return normal && multiplier.shift >= 1 && multiplier.shift <= 62;
  }
};

/// Checks one operation whose operands are known to exist.
class OperationVerifier {
 public:
  OperationVerifier(const Program& program, const std::vector<QuantizedRange>& ranges,
                    AccumulatorRanges& accumulators)
      : program_(program), ranges_(ranges), accumulators_(accumulators) {}

  Status operator()(const QuantizeOp& op) const {
    ZP_RETURN_IF_ERROR(check_real(op.output, op.input));
    return check_quantization(op.output, op.to);
  }

  Status operator()(const DequantizeOp& op) const {
    if (type(op.output) != ElementType::kFloat32) {
      return fail(op.output, "what is dequantized is float32");
    }
    return check_dequantization(op.output, op.input, op.from);
  }

  Status operator()(const ConvOp& op) const {
    std::int64_t axes = op.layer.weights.rank() - 2;
    ZP_RETURN_IF_ERROR(check_window(op.output, op.window, axes));
    if (op.group < 1 || op.layer.weights.dim(0) % op.group != 0) {
      return fail(op.output, "weights ", op.layer.weights.shape(), " have no ", op.group, " groups");
    }
    ZP_RETURN_IF_ERROR(check_zero_point(op.output, op.input_zero_point, type(op.input)));
    return check_layer(op.input, op.output, op.layer,
                       range_with_padding(range_of(op.input), op.input_zero_point));
  }

  Status operator()(const FullyConnectedOp& op) const {
    if (op.layer.weights.rank() != 2) {
      return fail(op.output, "weights ", op.layer.weights.shape(), " are no matrix");
    }
    return check_layer(op.input, op.output, op.layer, range_of(op.input));
  }

  Status operator()(const MatMulOp& op) const {
    ZP_RETURN_IF_ERROR(check_narrow(op.output, op.a));
    ZP_RETURN_IF_ERROR(check_narrow(op.output, op.b));
    ZP_RETURN_IF_ERROR(check_zero_point(op.output, op.a_zero_point, type(op.a)));
    ZP_RETURN_IF_ERROR(check_zero_point(op.output, op.b_zero_point, type(op.b)));
    return check_requantization(op.output, op.requantization, 1);
  }

  Status operator()(const AddOp& op) const {
    ZP_RETURN_IF_ERROR(check_rescaling(op.a, op.output, op.a_params, op.to));
    return check_rescaling(op.b, op.output, op.b_params, op.to);
  }

  Status operator()(const TableOp& op) const {
    ZP_RETURN_IF_ERROR(check_narrow(op.output, op.input));
    QuantizedRange in = storage_range(type(op.input));
    std::int64_t rank = op.tables.rank();
    if (op.tables.type() != type(op.output) || (rank != 1 && rank != 2) ||
        op.tables.dim(-1) != in.q_max - in.q_min + 1 || op.tables.size() == 0) {
      return fail(op.output, "tables ", name_of(op.tables.type()), op.tables.shape(), " do not fit ",
                  describe(program_.tensor(op.input)));
    }
    return are_elements(op.tables.type(), {op.tables.bytes(), op.tables.byte_size()})
               ? Status()
               : not_elements(op.tables.type(), program_.tensor(op.output).name);
  }

  Status operator()(const ArithmeticOp& op) const {
    for (const ArithmeticOp::Input& input : op.inputs) {
      ZP_RETURN_IF_ERROR(check_dequantization(op.output, input.tensor, input.from));
    }
    std::size_t known = op.inputs.size() + op.constants.size();
    for (const ArithmeticOp::Step& step : op.steps) {
      ZP_RETURN_IF_ERROR(check_operator(op.output, step.op, step.operands, 1));
      bool sound = std::ranges::all_of(step.operands, [&](std::int32_t operand) {
        return operand == -1 || (operand >= 0 && static_cast<std::size_t>(operand) < known);
      });
      if (!sound) {
        return fail(op.output, "a step reads what is not computed before it");
      }
      ++known;
    }
    return op.steps.empty() ? fail(op.output, "no step computes anything")
                            : check_quantization(op.output, op.to);
  }

  Status operator()(const ReduceOp& op) const { return check_rescaling(op.input, op.output, op.from, op.to); }

  Status operator()(const AveragePoolOp& op) const {
    return check_rescaling(op.input, op.output, op.from, op.to);
  }

  Status operator()(const SoftmaxOp& op) const {
    ZP_RETURN_IF_ERROR(check_narrow(op.output, op.input));
    ZP_RETURN_IF_ERROR(check_scale(op.output, op.scale));
    QuantizedRange in = storage_range(type(op.input));
    constexpr std::int64_t kOne = std::int64_t{1} << 30;
    bool sound = op.exponentials.size() == static_cast<std::size_t>(in.q_max - in.q_min + 1) &&
                 op.exponentials[0] == kOne &&
                 std::ranges::all_of(op.exponentials, [](std::int64_t e) { return e >= 0 && e <= kOne; });
    if (!sound) {
      return fail(op.output, "exponentials must fall from 2^30, one per distance of ",
                  describe(program_.tensor(op.input)));
    }
    return check_quantization(op.output, op.to);
  }

  Status operator()(const NormalizeOp& op) const {
    bool finite = std::isfinite(op.epsilon) && op.epsilon >= 0;
    if (!finite || op.gain.empty() || op.bias.empty() || op.groups < 0) {
      return fail(op.output, "a normalization needs gain, bias, 0 or more groups and epsilon of 0 or more");
    }
    return check_rescaling(op.input, op.output, op.from, op.to);
  }

  Status operator()(const EvaluateOp& op) const {
    TensorId first = kNoTensor;
    for (TensorId output : op.outputs) {
      first = first == kNoTensor ? output : first;
    }
    if (first == kNoTensor) {
      return Status::invalid_argument("an operation of the program gives nothing");
    }
    ZP_RETURN_IF_ERROR(check_operator(first, op.op, op.inputs, op.outputs.size()));
    bool all_optional = op.op == Op::kRNN || op.op == Op::kGRU || op.op == Op::kLSTM;
    return op.outputs[0] != kNoTensor || all_optional ? Status() : fail(first, "its first output is missing");
  }

 private:
  template <typename... Parts>
  [[nodiscard]] Status fail(TensorId output, const Parts&... why) const {
    return Status::invalid_argument(why...).at("operation that makes ", describe(program_.tensor(output)));
  }

  [[nodiscard]] ElementType type(TensorId id) const { return program_.tensor(id).type; }
  [[nodiscard]] QuantizedRange range_of(TensorId id) const { return ranges_[static_cast<std::size_t>(id)]; }

  [[nodiscard]] Status check_real(TensorId output, TensorId input) const {
    return type(input) == ElementType::kFloat32
               ? Status()
               : fail(output, "cannot quantize ", describe(program_.tensor(input)));
  }

  /// Quantized tensors have at most 16 bits; more are accumulators.
  [[nodiscard]] Status check_narrow(TensorId output, TensorId input) const {
    ElementType in = type(input);
    return is_integer(in) && size_of(in) <= 2
               ? Status()
               : fail(output, "its inputs must be integers of at most 16 bits, not ",
                      describe(program_.tensor(input)));
  }

  /// `inputs` by ids, negative where there is none.
  [[nodiscard]] Status check_operator(TensorId output, Op op, std::span<const std::int32_t> inputs,
                                      std::size_t output_count) const {
    if (static_cast<std::size_t>(op) >= all_operators().size()) {
      return fail(output, "there is no such operator");
    }
    const OpInfo& info = info_of(op);
    bool sound = inputs.size() >= info.min_inputs && inputs.size() <= info.max_inputs &&
                 output_count <= info.max_outputs &&
                 std::ranges::all_of(inputs.first(info.min_inputs), [](std::int32_t id) { return id >= 0; });
    return sound ? Status() : fail(output, info.name, " cannot have these inputs and outputs");
  }

  [[nodiscard]] Status check_quantization(TensorId output, const Quantization& to) const {
    ZP_RETURN_IF_ERROR(check_scale(output, to.params.scale));
    ZP_RETURN_IF_ERROR(check_range(output, to.range));
    ZP_RETURN_IF_ERROR(check_width(output, type(output)));
    return check_zero_point(output, to.params.zero_point, type(output));
  }

  [[nodiscard]] Status check_dequantization(TensorId output, TensorId input,
                                            const Dequantization& from) const {
    if (!is_integer(type(input))) {
      return fail(output, "cannot dequantize ", describe(program_.tensor(input)));
    }
    if (from.scales.empty()) {
      return fail(output, "there is no scale");
    }
    for (float scale : from.scales) {
      ZP_RETURN_IF_ERROR(check_scale(output, scale));
    }
    if (from.zero_point != 0) {  // an accumulator has none
      ZP_RETURN_IF_ERROR(check_width(output, type(input)));
    }
    return check_zero_point(output, from.zero_point, type(input));
  }

  [[nodiscard]] Status check_rescaling(TensorId input, TensorId output, QuantParams from,
                                       const Quantization& to) const {
    ZP_RETURN_IF_ERROR(check_narrow(output, input));
    ZP_RETURN_IF_ERROR(check_scale(output, from.scale));
    ZP_RETURN_IF_ERROR(check_zero_point(output, from.zero_point, type(input)));
    return check_quantization(output, to);
  }

  [[nodiscard]] Status check_layer(TensorId input, TensorId output, const LinearLayer& layer,
                                   QuantizedRange in_range) const {
    ZP_RETURN_IF_ERROR(check_narrow(output, input));
    ElementType w = layer.weights.type();
    bool steps = w == ElementType::kInt8 || w == ElementType::kInt16 || w == ElementType::kInt32;
    if (!steps || layer.weights.size() == 0 ||
        layer.folded_bias.size() != static_cast<std::size_t>(layer.weights.dim(0))) {
      return fail(output, "weights must be int8, int16 or int32 and have one bias per channel");
    }
    bool wide = layer.accumulator == ElementType::kInt64;
    if (!wide && layer.accumulator != ElementType::kInt32) {
      return fail(output, "an accumulator is int32 or int64");
    }
    // No order of summation may leave the accumulator, whatever the input holds.
    constexpr std::int64_t kMost = std::int64_t{1} << 62;
    QuantizedRange held = wide ? QuantizedRange{1 - kMost, kMost - 1} : storage_range(ElementType::kInt32);
    auto leaves = [&](QuantizedRange range) { return range.q_min < held.q_min || range.q_max > held.q_max; };
    if (leaves(accumulator_range_of_any_weights(layer, in_range)) &&
        leaves(accumulators_.of(layer, in_range))) {
      return fail(output, "its accumulator can leave ", name_of(layer.accumulator));
    }
    if (!layer.requantization) {
      return type(output) == layer.accumulator
                 ? Status()
                 : fail(output, "its accumulator is ", name_of(layer.accumulator));
    }
    return check_requantization(output, *layer.requantization, layer.folded_bias.size());
  }

  [[nodiscard]] Status check_requantization(TensorId output, const Requantization& requantization,
                                            std::size_t channels) const {
    std::size_t multipliers = std::visit([](const auto& m) { return m.size(); }, requantization.multipliers);
    if (multipliers != channels) {
      return fail(output, multipliers, " multipliers do not fit ", channels, " channels");
    }
    bool sound = std::visit([](const auto& m) { return std::ranges::all_of(m, IsSound{}); },
                            requantization.multipliers);
    if (!sound) {
      return fail(output, "a multiplier is not a positive normal number");
    }
    ZP_RETURN_IF_ERROR(check_range(output, requantization.clamp));
    ZP_RETURN_IF_ERROR(check_width(output, type(output)));
    return check_zero_point(output, requantization.zero_point, type(output));
  }

  [[nodiscard]] Status check_window(TensorId output, const Window& window, std::int64_t axes) const {
    constexpr std::int64_t kFar = std::int64_t{1} << 31;
    auto all_in = [&](const std::vector<std::int64_t>& values, std::int64_t least) {
      return static_cast<std::int64_t>(values.size()) == axes &&
             std::ranges::all_of(values, [&](std::int64_t v) { return v >= least && v < kFar; });
    };
    bool sound = axes >= 1 && all_in(window.strides, 1) && all_in(window.dilations, 1) &&
                 all_in(window.holes, 1) && all_in(window.pads_begin, -kFar) &&
                 all_in(window.pads_end, -kFar);
    return sound
               ? Status()
               : fail(output,
                      "strides, dilations and holes must be 1 or more, and with the pads below 2^31, one per "
                      "spatial axis of the weights");
  }

  [[nodiscard]] Status check_scale(TensorId output, float scale) const {
    return std::isnormal(scale) && scale > 0 ? Status()
                                             : fail(output, "a scale is not a positive normal number");
  }

  /// So that a zero point can be added to what a step was rounded to, or taken from it.
  [[nodiscard]] Status check_width(TensorId output, ElementType type) const {
    return size_of(type) <= 4
               ? Status()
               : fail(output, name_of(type), " has more than the 32 bits of quantized integers");
  }

  [[nodiscard]] Status check_zero_point(TensorId output, std::int64_t zero_point, ElementType type) const {
    QuantizedRange held = storage_range(type);
    if (zero_point >= held.q_min && zero_point <= held.q_max) {
      return {};
    }
    return fail(output, "the zero point ", zero_point, " does not fit ", name_of(type));
  }

  [[nodiscard]] Status check_range(TensorId output, QuantizedRange range) const {
    QuantizedRange held = storage_range(type(output));
    if (!is_integer(type(output)) || range.q_min > range.q_max || range.q_min < held.q_min ||
        range.q_max > held.q_max) {
      return fail(output, "the range [", range.q_min, ", ", range.q_max, "] does not fit its type");
    }
    return {};
  }

  const Program& program_;
  const std::vector<QuantizedRange>& ranges_;  // per tensor: the integers it can take
  AccumulatorRanges& accumulators_;
};

/// Ids in range, constants as declared, each tensor made once and before it is used.
Status verify_order(const Program& program) {
  std::vector<bool> made;
  for (const TensorInfo& info : program.tensors) {
    made.push_back(info.constant != nullptr);
    if (info.constant != nullptr &&
        (info.constant->type() != info.type || info.constant->shape() != info.shape)) {
      return Status::invalid_argument("constant ", describe(info), " is ", name_of(info.constant->type()),
                                      info.constant->shape());
    }
    if (info.constant != nullptr && is_integer(info.type) &&
        !are_elements(info.type, {info.constant->bytes(), info.constant->byte_size()})) {
      return not_elements(info.type, info.name);
    }
  }
  auto exists = [&](TensorId id) { return id >= 0 && static_cast<std::size_t>(id) < program.tensors.size(); };
  auto is_made = [&](TensorId id) { return exists(id) && made[static_cast<std::size_t>(id)]; };
  for (TensorId id : program.inputs) {
    if (!exists(id) || is_made(id)) {
      return Status::invalid_argument("program '", program.name,
                                      "' has an input that is no tensor, a constant or another input");
    }
    made[static_cast<std::size_t>(id)] = true;
  }
  for (std::size_t i = 0; i < program.operations.size(); ++i) {
    std::vector<TensorId> inputs = inputs_of(program.operations[i]);
    bool sound = std::ranges::all_of(inputs, is_made);
    for (TensorId output : outputs_of(program.operations[i])) {
      sound = sound && exists(output) && !is_made(output);
      if (sound) {
        made[static_cast<std::size_t>(output)] = true;
      }
    }
    if (!sound) {
      return Status::invalid_argument("program '", program.name, "', operation ", i,
                                      ": its inputs must be made before it, and its outputs by it alone");
    }
  }
  for (TensorId id : program.outputs) {
    if (!is_made(id)) {
      return Status::invalid_argument("program '", program.name, "' has an output that nothing makes");
    }
  }
  return {};
}

}  // namespace

Status verify(const Program& program) {
  ZP_RETURN_IF_ERROR(verify_order(program));
  std::vector<QuantizedRange> ranges = integer_ranges(program);
  AccumulatorRanges accumulators;
  for (const Operation& operation : program.operations) {
    ZP_RETURN_IF_ERROR(std::visit(OperationVerifier(program, ranges, accumulators), operation));
  }
  return {};
}

std::vector<TensorId> float_tensors_inside(const Program& program) {
  auto contains = [](const std::vector<TensorId>& ids, TensorId id) {
    return std::ranges::find(ids, id) != ids.end();
  };
  std::vector<TensorId> found;
  for (TensorId id = 0; id < static_cast<TensorId>(program.tensors.size()); ++id) {
    const TensorInfo& info = program.tensor(id);
    if (!is_integer(info.type) && info.type != ElementType::kBool && info.constant == nullptr &&
        !contains(program.inputs, id) && !contains(program.outputs, id)) {
      found.push_back(id);
    }
  }
  return found;
}

}  // namespace zeropoint
