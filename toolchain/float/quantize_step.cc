// QuantizeLinear and DequantizeLinear: the affine mapping of affine.h, element by element.

#include "float/builders.h"
#include "float/step_table.h"
#include "zeropoint/affine_tensor.h"

namespace zeropoint::toolchain {
namespace {

/// Which elements share parameters: one scale for all, per index of the axis, or per block along it.
Granularity granularity_of(const StepBuilder& builder) {
  const Shape& scale = builder.shape(1);
  if (scale.empty() || (scale.size() == 1 && scale[0] == 1)) {
    return Granularity::per_tensor();
  }
  std::int64_t axis = int_attribute(builder.node(), "axis");
  std::int64_t block = int_attribute(builder.node(), "block_size");
  return block == 0 ? Granularity::per_channel(axis) : Granularity::per_group(axis, block);
}

/// Scale and zero point of each parameter index, read from the inputs at each run since they may be computed.
class Parameters {
 public:
  static Result<Parameters> of(StepBuilder& builder) {
    ZP_ASSIGN_OR_RETURN(ParamsLayout layout, ParamsLayout::of(builder.shape(0), granularity_of(builder)));
    Parameters parameters(std::move(layout));
    parameters.scales_ = builder.elements<float>(1);
    if (static_cast<std::int64_t>(parameters.scales_.size()) != parameters.layout_.count()) {
      return Status::invalid_argument("scale " + zeropoint::to_string(builder.shape(1)) +
                                      " does not fit input " + zeropoint::to_string(builder.shape(0)));
    }
    parameters.params_.resize(parameters.scales_.size());
    if (builder.has_input(2)) {
      parameters.zero_points_ = builder.plain_bytes(2);
      parameters.zero_point_type_ = builder.type(2);
    }
    return parameters;
  }

  void load() {
    for (std::size_t i = 0; i < params_.size(); ++i) {
      params_[i].scale = scales_[i];
    }
    if (zero_points_ != nullptr) {
      visit_integer(zero_point_type_, [&](auto element) {
        const auto* values = reinterpret_cast<const decltype(element)*>(zero_points_);
        for (std::size_t i = 0; i < params_.size(); ++i) {
          // NOLINTNEXTLINE(bugprone-signed-char-misuse): an int8 here is a number, not a character
          params_[i].zero_point = static_cast<std::int64_t>(values[i]);
        }
      });
    }
  }

  /// Calls function(i, parameters) for each of `count` elements, on all threads.
  template <typename Function>
  void for_each(std::int64_t count, Function function) const {
    constexpr std::int64_t kWorthThreads = 1 << 14;
    if (params_.size() == 1) {
      QuantParams params = params_[0];
#pragma omp parallel for if (count >= kWorthThreads)
      for (std::int64_t i = 0; i < count; ++i) {
        function(i, params);
      }
    } else {
#pragma omp parallel for if (count >= kWorthThreads)
      for (std::int64_t i = 0; i < count; ++i) {
        function(i, params_[static_cast<std::size_t>(layout_.index_of(i))]);
      }
    }
  }

 private:
  explicit Parameters(ParamsLayout layout) : layout_(std::move(layout)) {}

  ParamsLayout layout_;
  std::span<const float> scales_;
  const std::byte* zero_points_ = nullptr;
  ElementType zero_point_type_ = ElementType::kUint8;
  std::vector<QuantParams> params_;
};

template <typename T>
class QuantizeStep final : public NodeStep {
 public:
  QuantizeStep(StepBuilder& builder, Parameters parameters)
      : parameters_(std::move(parameters)),
        input_(builder.elements<float>(0)),
        output_(builder.output_elements<T>()) {}

  Status run() override {
    parameters_.load();
    const float* in = input_.data();
    T* out = output_.data();
    QuantizedRange range = storage_range(kElementTypeOf<T>);
    parameters_.for_each(static_cast<std::int64_t>(input_.size()), [=](std::int64_t i, QuantParams params) {
      out[i] = static_cast<T>(quantize(in[i], params, range));
    });
    return {};
  }

 private:
  Parameters parameters_;
  std::span<const float> input_;
  std::span<T> output_;
};

template <typename T>
class DequantizeStep final : public NodeStep {
 public:
  DequantizeStep(StepBuilder& builder, Parameters parameters)
      : parameters_(std::move(parameters)),
        input_(builder.elements<T>(0)),
        output_(builder.output_elements<float>()) {}

  Status run() override {
    parameters_.load();
    const T* in = input_.data();
    float* out = output_.data();
    parameters_.for_each(static_cast<std::int64_t>(input_.size()), [=](std::int64_t i, QuantParams params) {
      out[i] = dequantize(static_cast<std::int64_t>(in[i]), params);
    });
    return {};
  }

 private:
  Parameters parameters_;
  std::span<const T> input_;
  std::span<float> output_;
};

template <template <typename> class StepOf>
Result<std::unique_ptr<NodeStep>> prepare_for(StepBuilder& builder, ElementType integers) {
  if (integers == ElementType::kUint64) {
    return Status::unsupported("uint64 is not a quantized type");
  }
  ZP_ASSIGN_OR_RETURN(Parameters parameters, Parameters::of(builder));
  std::unique_ptr<NodeStep> step;
  bool is_integer = visit_integer(integers, [&](auto element) {
    step = std::make_unique<StepOf<decltype(element)>>(builder, std::move(parameters));
  });
  if (!is_integer) {
    return Status::unsupported(std::string(zeropoint::name_of(integers)) + " is not a quantized type");
  }
  return step;
}

}  // namespace

Result<std::unique_ptr<NodeStep>> prepare_quantize_linear(StepBuilder& builder) {
  return prepare_for<QuantizeStep>(builder, builder.output_type());
}

Result<std::unique_ptr<NodeStep>> prepare_dequantize_linear(StepBuilder& builder) {
  return prepare_for<DequantizeStep>(builder, builder.type(0));
}

}  // namespace zeropoint::toolchain
