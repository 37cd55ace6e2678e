#include "zeropoint/program.h"

#include <algorithm>
#include <limits>
#include <span>

namespace zeropoint {
namespace {

std::string describe(const TensorInfo& info) {
  return "'" + info.name + "' " + std::string(name_of(info.type)) + to_string(info.sample_shape);
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
struct OperationVerifier {
  const Program& program;
  const std::vector<QuantizedRange>& ranges;  // per tensor: the integers it can take

  [[nodiscard]] Status fail(TensorId output, const std::string& why) const {
    return Status::invalid_argument("operation that makes " + describe(program.tensor(output)) + ": " + why);
  }

  Status operator()(const QuantizeOp& op) const {
    const TensorInfo& in = program.tensor(op.input);
    const TensorInfo& out = program.tensor(op.output);
    if (in.type != ElementType::kFloat32 || in.sample_shape != out.sample_shape) {
      return fail(op.output, "cannot quantize " + describe(in));
    }
    ZP_RETURN_IF_ERROR(check_scale(op.output, op.params.scale));
    ZP_RETURN_IF_ERROR(check_range(op.output, op.range));
    return check_zero_point(op.output, op.params.zero_point, out.type);
  }

  Status operator()(const DequantizeOp& op) const {
    const TensorInfo& in = program.tensor(op.input);
    const TensorInfo& out = program.tensor(op.output);
    if (!is_integer(in.type) || out.type != ElementType::kFloat32 || in.sample_shape != out.sample_shape) {
      return fail(op.output, "cannot dequantize " + describe(in));
    }
    std::size_t channels = in.sample_shape.empty() ? 1 : static_cast<std::size_t>(in.sample_shape[0]);
    if (op.scales.size() != 1 && op.scales.size() != channels) {
      return fail(op.output, std::to_string(op.scales.size()) + " scales do not fit " + describe(in));
    }
    for (float scale : op.scales) {
      ZP_RETURN_IF_ERROR(check_scale(op.output, scale));
    }
    return check_zero_point(op.output, op.zero_point, in.type);
  }

  Status operator()(const ConvOp& op) const {
    const Shape& in = program.tensor(op.input).sample_shape;
    const Shape& out = program.tensor(op.output).sample_shape;
    const Shape& w = op.layer.weights.shape();
    if (in.size() != 3 || out.size() != 3 || w.size() != 4 || op.group < 1 || in[0] % op.group != 0 ||
        in[0] / op.group != w[1] || w[0] % op.group != 0 || out[0] != w[0] || w[2] != op.window.kernel[0] ||
        w[3] != op.window.kernel[1]) {
      return fail(op.output, "weights " + to_string(w) + " do not fit " + describe(program.tensor(op.input)));
    }
    ZP_RETURN_IF_ERROR(check_window(op.input, op.output, op.window));
    // Padding puts the zero point among the inputs.
    QuantizedRange in_range = range_of(op.input);
    in_range = {std::min(in_range.q_min, op.input_zero_point), std::max(in_range.q_max, op.input_zero_point)};
    ZP_RETURN_IF_ERROR(check_layer(op.input, op.output, op.layer, in_range));
    return check_zero_point(op.output, op.input_zero_point, program.tensor(op.input).type);
  }

  Status operator()(const FullyConnectedOp& op) const {
    const Shape& w = op.layer.weights.shape();
    if (w.size() != 2 || program.tensor(op.input).sample_shape != Shape{w[1]} ||
        program.tensor(op.output).sample_shape != Shape{w[0]}) {
      return fail(op.output, "weights " + to_string(w) + " do not fit " + describe(program.tensor(op.input)));
    }
    return check_layer(op.input, op.output, op.layer, range_of(op.input));
  }

  Status operator()(const MaxPoolOp& op) const {
    const TensorInfo& in = program.tensor(op.input);
    const TensorInfo& out = program.tensor(op.output);
    if (in.sample_shape.size() != 3 || out.sample_shape.size() != 3 ||
        in.sample_shape[0] != out.sample_shape[0] || in.type != out.type || !is_integer(in.type)) {
      return fail(op.output, "cannot pool " + describe(in));
    }
    ZP_RETURN_IF_ERROR(check_window(op.input, op.output, op.window));
    for (int i = 0; i < 2; ++i) {
      if (!every_window_sees(in.sample_shape[i + 1], out.sample_shape[i + 1], op.window, i)) {
        return fail(op.output, "a window can lie outside of " + describe(in) + ", where nothing is largest");
      }
    }
    return {};
  }

  Status operator()(const ReshapeOp& op) const {
    const TensorInfo& in = program.tensor(op.input);
    const TensorInfo& out = program.tensor(op.output);
    if (in.type != out.type || *element_count(in.sample_shape) != *element_count(out.sample_shape)) {
      return fail(op.output, "cannot reshape " + describe(in));
    }
    return {};
  }

 private:
  [[nodiscard]] QuantizedRange range_of(TensorId id) const { return ranges[static_cast<std::size_t>(id)]; }

  [[nodiscard]] Status check_layer(TensorId input, TensorId output, const LinearLayer& layer,
                                   QuantizedRange in_range) const {
    ElementType in = program.tensor(input).type;
    if (in != ElementType::kInt8 && in != ElementType::kUint8) {
      return fail(output, "the input must be int8 or uint8, not " + describe(program.tensor(input)));
    }
    auto channels = static_cast<std::size_t>(layer.weights.dim(0));
    if (layer.weights.type() != ElementType::kInt8 || layer.folded_bias.size() != channels) {
      return fail(output, "weights must be int8 and have one bias per channel");
    }
    ZP_RETURN_IF_ERROR(check_accumulators(output, layer, in_range));
    if (!layer.requantization) {
      return program.tensor(output).type == ElementType::kInt32 ? Status()
                                                                : fail(output, "an accumulator is int32");
    }
    const Requantization& requantization = *layer.requantization;
    std::size_t multipliers = std::visit([](const auto& m) { return m.size(); }, requantization.multipliers);
    if (multipliers != channels) {
      return fail(output, std::to_string(multipliers) + " multipliers do not fit " +
                              std::to_string(channels) + " channels");
    }
    bool sound = std::visit([](const auto& m) { return std::all_of(m.begin(), m.end(), IsSound{}); },
                            requantization.multipliers);
    if (!sound) {
      return fail(output, "a multiplier is not a positive normal number");
    }
    ZP_RETURN_IF_ERROR(check_range(output, requantization.clamp));
    return check_zero_point(output, requantization.zero_point, program.tensor(output).type);
  }

  /// No order of summation may leave int32, whatever the input holds.
  [[nodiscard]] Status check_accumulators(TensorId output, const LinearLayer& layer,
                                          QuantizedRange input) const {
    std::span<const std::int8_t> weights = layer.weights.data<std::int8_t>();
    std::size_t depth = layer.folded_bias.empty() ? 0 : weights.size() / layer.folded_bias.size();
    for (std::size_t m = 0; m < layer.folded_bias.size(); ++m) {
      QuantizedRange bounds =
          accumulator_bounds(weights.subspan(m * depth, depth), input, layer.folded_bias[m]);
      if (bounds.q_min < std::numeric_limits<std::int32_t>::min() ||
          bounds.q_max > std::numeric_limits<std::int32_t>::max()) {
        return fail(output, "the accumulator of channel " + std::to_string(m) + " can leave int32");
      }
    }
    return {};
  }

  /// A window only reads inside its input, whatever its numbers, as long as these are positive and small
  /// enough not to overflow; the output's shape then decides what is computed.
  [[nodiscard]] Status check_window(TensorId input, TensorId output, const Window2d& window) const {
    constexpr std::int64_t kFar = std::int64_t{1} << 31;
    const Shape& in = program.tensor(input).sample_shape;
    const Shape& out = program.tensor(output).sample_shape;
    for (int i = 0; i < 2; ++i) {
      if (window.kernel[i] < 1 || window.strides[i] < 1 || window.dilations[i] < 1 ||
          window.pads_begin[i] < 0 || window.kernel[i] >= kFar || window.strides[i] >= kFar ||
          window.dilations[i] >= kFar || window.pads_begin[i] >= kFar || in[i + 1] >= kFar ||
          out[i + 1] >= kFar) {
        return fail(output,
                    "kernel, strides and dilations must be 1 or more, pads 0 or more, all below 2^31");
      }
    }
    return {};
  }

  /// Whether the window has a tap inside an axis of `in` elements at each of its `out` positions.
  static bool every_window_sees(std::int64_t in, std::int64_t out, const Window2d& window, int axis) {
    std::int64_t pad = window.pads_begin[axis];
    std::int64_t step = window.dilations[axis];
    bool last_starts_inside = (out - 1) * window.strides[axis] - pad < in;
    // Before the beginning a window needs a tap that reaches past it, and taps that do not step over the
    // input.
    bool first_reaches = pad == 0 || ((pad + step - 1) / step < window.kernel[axis] && step <= in);
    return out == 0 || (in > 0 && last_starts_inside && first_reaches);
  }

  [[nodiscard]] Status check_scale(TensorId output, float scale) const {
    return std::isnormal(scale) && scale > 0 ? Status()
                                             : fail(output, "a scale is not a positive normal number");
  }

  [[nodiscard]] Status check_zero_point(TensorId output, std::int64_t zero_point, ElementType type) const {
    QuantizedRange held = storage_range(type);
    if (zero_point >= held.q_min && zero_point <= held.q_max) {
      return {};
    }
    return fail(output, "the zero point " + std::to_string(zero_point) + " does not fit " +
                            std::string(name_of(type)));
  }

  [[nodiscard]] Status check_range(TensorId output, QuantizedRange range) const {
    ElementType type = program.tensor(output).type;
    QuantizedRange held = storage_range(type);
    if (!is_integer(type) || range.q_min > range.q_max || range.q_min < held.q_min ||
        range.q_max > held.q_max) {
      return fail(output, "the range [" + std::to_string(range.q_min) + ", " + std::to_string(range.q_max) +
                              "] does not fit its type");
    }
    return {};
  }
};

/// The integers that an operation can give.
struct OutputRange {
  const Program& program;
  const std::vector<QuantizedRange>& ranges;

  QuantizedRange operator()(const QuantizeOp& op) const { return op.range; }
  QuantizedRange operator()(const DequantizeOp& /*op*/) const { return {0, 0}; }
  QuantizedRange operator()(const ConvOp& op) const { return of_layer(op.layer); }
  QuantizedRange operator()(const FullyConnectedOp& op) const { return of_layer(op.layer); }
  QuantizedRange operator()(const MaxPoolOp& op) const { return ranges[static_cast<std::size_t>(op.input)]; }
  QuantizedRange operator()(const ReshapeOp& op) const { return ranges[static_cast<std::size_t>(op.input)]; }

 private:
  static QuantizedRange of_layer(const LinearLayer& layer) {
    return layer.requantization ? layer.requantization->clamp : storage_range(ElementType::kInt32);
  }
};

}  // namespace

Status verify(const Program& program) {
  for (const TensorInfo& info : program.tensors) {
    Result<std::int64_t> count = element_count(info.sample_shape);
    if (!count.ok()) {
      return count.status().at("tensor '" + info.name + "'");
    }
  }
  std::vector<bool> made(program.tensors.size(), false);
  std::vector<QuantizedRange> ranges;
  for (const TensorInfo& info : program.tensors) {
    ranges.push_back(storage_range(info.type));
  }
  auto exists = [&](TensorId id) { return id >= 0 && static_cast<std::size_t>(id) < program.tensors.size(); };
  for (TensorId id : program.inputs) {
    if (!exists(id)) {
      return Status::invalid_argument("program '" + program.name + "' has an input that is no tensor");
    }
    made[static_cast<std::size_t>(id)] = true;
  }
  for (std::size_t i = 0; i < program.operations.size(); ++i) {
    auto [input, output] =
        std::visit([](const auto& op) { return std::pair(op.input, op.output); }, program.operations[i]);
    if (!exists(input) || !exists(output) || !made[static_cast<std::size_t>(input)] ||
        made[static_cast<std::size_t>(output)]) {
      return Status::invalid_argument("program '" + program.name + "', operation " + std::to_string(i) +
                                      ": its input must be made before it, and its output by it alone");
    }
    ZP_RETURN_IF_ERROR(std::visit(OperationVerifier{program, ranges}, program.operations[i]));
    ranges[static_cast<std::size_t>(output)] =
        std::visit(OutputRange{program, ranges}, program.operations[i]);
    made[static_cast<std::size_t>(output)] = true;
  }
  for (TensorId id : program.outputs) {
    if (!exists(id) || !made[static_cast<std::size_t>(id)]) {
      return Status::invalid_argument("program '" + program.name + "' has an output that nothing makes");
    }
  }
  return {};
}

std::vector<TensorId> float_tensors_inside(const Program& program) {
  auto contains = [](const std::vector<TensorId>& ids, TensorId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  std::vector<TensorId> found;
  for (TensorId id = 0; id < static_cast<TensorId>(program.tensors.size()); ++id) {
    if (!is_integer(program.tensor(id).type) && !contains(program.inputs, id) &&
        !contains(program.outputs, id)) {
      found.push_back(id);
    }
  }
  return found;
}

}  // namespace zeropoint
