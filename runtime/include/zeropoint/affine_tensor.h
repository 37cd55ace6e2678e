#pragma once

// The affine mapping over whole tensors: one scale and zero point for all, per index of an axis, or per group
// of n along an axis (ONNX: per tensor, per axis, blocked).

#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/affine.h"
#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint {

/// Which elements of a tensor share their scale and zero point.
struct Granularity {
  enum class Kind : std::uint8_t { kPerTensor, kPerChannel, kPerGroup };
  Kind kind = Kind::kPerTensor;
  std::int64_t axis = 0;        ///< kPerChannel, kPerGroup; negative counts from the end
  std::int64_t group_size = 0;  ///< kPerGroup: neighbours along the axis; the last group may be smaller

  static Granularity per_tensor() { return {}; }
  static Granularity per_channel(std::int64_t axis) { return {Kind::kPerChannel, axis, 0}; }
  static Granularity per_group(std::int64_t axis, std::int64_t size) { return {Kind::kPerGroup, axis, size}; }
  friend bool operator==(const Granularity&, const Granularity&) = default;
};

/// Maps each element of a tensor to the index of its parameters.
class ParamsLayout {
 public:
  /// kInvalidArgument when the axis is outside of `shape` or the group size is below 1.
  static Result<ParamsLayout> of(const Shape& shape, Granularity granularity);

  /// The shape of the scale and zero point tensors: [], [extent of the axis], or the tensor's own with
  /// ceil(extent / group_size) on the axis.
  [[nodiscard]] const Shape& params_shape() const { return params_shape_; }
  [[nodiscard]] std::int64_t count() const { return count_; }

  /// Parameter index of the element at row-major position `element`.
  [[nodiscard]] std::int64_t index_of(std::int64_t element) const {
    std::int64_t along = (element / inner_) % extent_;
    if (outer_stride_ == 0) {
      return along / step_;
    }
    return (element / (inner_ * extent_)) * outer_stride_ + (along / step_) * inner_ + element % inner_;
  }

 private:
  Shape params_shape_;
  std::int64_t count_ = 1;
  std::int64_t inner_ = 1;         // elements between neighbours along the axis
  std::int64_t extent_ = 1;        // of the axis
  std::int64_t step_ = 1;          // neighbours that share parameters
  std::int64_t outer_stride_ = 0;  // parameters per outer index; 0: shared across everything but the axis
};

/// Scales and zero points of one tensor, one pair per parameter index.
struct TensorParams {
  Granularity granularity;
  std::vector<QuantParams> params;
  friend bool operator==(const TensorParams&, const TensorParams&) = default;
};

/// Smallest and largest element per parameter index; {+inf, -inf} where there is none. Elements that are NaN
/// or infinite give kInvalidArgument with their position.
struct RealRange {
  float r_min = std::numeric_limits<float>::infinity();
  float r_max = -std::numeric_limits<float>::infinity();
};
Result<std::vector<RealRange>> ranges_of(const Tensor& tensor, Granularity granularity);

/// choose_params for each parameter index of a float32 tensor.
Result<TensorParams> choose_params(const Tensor& tensor, Granularity granularity, QuantizedType type,
                                   ParamsOptions options = {});

/// Quantizes a float32 tensor into `storage`, clamped to `range`, which the storage must be able to hold.
Result<Tensor> quantize(const Tensor& real, const TensorParams& params, QuantizedRange range,
                        ElementType storage);
Result<Tensor> quantize(const Tensor& real, const TensorParams& params, QuantizedType type);

/// Dequantizes an integer tensor to float32.
Result<Tensor> dequantize(const Tensor& quantized, const TensorParams& params);

}  // namespace zeropoint
