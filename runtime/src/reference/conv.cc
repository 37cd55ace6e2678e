#include <algorithm>

#include "operators/window_taps.h"
#include "reference/elements.h"
#include "reference/linear_layer.h"
#include "reference/operations.h"

namespace zeropoint::reference {
namespace {

using operators::Positions;
using operators::product;

/// Where a window of the spatial extents `kernel` reads.
class Sight {
 public:
  Sight(const Window& window, Shape kernel, Shape input)
      : window_(window), kernel_(std::move(kernel)), input_(std::move(input)) {}

  /// The window's positions along each axis; 0 where it is larger than the padded input.
  [[nodiscard]] Shape output() const {
    Shape out;
    for (std::size_t i = 0; i < input_.size(); ++i) {
      std::int64_t filled = input_[i] == 0 ? 0 : (input_[i] - 1) * window_.holes[i] + 1;
      std::int64_t room = filled + window_.pads_begin[i] + window_.pads_end[i];
      std::int64_t reach = (kernel_[i] - 1) * window_.dilations[i] + 1;
      out.push_back(room < reach ? 0 : (room - reach) / window_.strides[i] + 1);
    }
    return out;
  }

  /// For each tap of the window at `at`, the offset in the input's plane, or -1 where it sees the zero point.
  void offsets(const Shape& at, std::vector<std::int64_t>& result) const {
    result.clear();
    Positions tap(kernel_);
    do {
      result.push_back(offset(at, *tap));
    } while (tap.next());
  }

 private:
  [[nodiscard]] std::int64_t offset(const Shape& at, const Shape& tap) const {
    std::int64_t result = 0;
    for (std::size_t i = 0; i < at.size(); ++i) {
      std::int64_t filled =
          at[i] * window_.strides[i] + tap[i] * window_.dilations[i] - window_.pads_begin[i];
      if (filled < 0 || filled % window_.holes[i] != 0 || filled / window_.holes[i] >= input_[i]) {
        return -1;
      }
      result = result * input_[i] + filled / window_.holes[i];
    }
    return result;
  }

  const Window& window_;
  Shape kernel_;
  Shape input_;
};

/// The K inputs of one output position: channels [first, first + channels) of the planes at `x`.
void gather(const std::int32_t* x, std::int64_t channels, std::int64_t plane,
            const std::vector<std::int64_t>& offsets, std::int32_t outside,
            std::vector<std::int32_t>& patch) {
  patch.clear();
  for (std::int64_t c = 0; c < channels; ++c, x += plane) {
    for (std::int64_t offset : offsets) {
      patch.push_back(offset < 0 ? outside : x[offset]);
    }
  }
}

}  // namespace

Result<Tensor> run(const ConvOp& op, const Tensor& input, ElementType type) {
  const Shape& w = op.layer.weights.shape();
  if (input.shape().size() != w.size() || input.dim(1) % op.group != 0 || input.dim(1) / op.group != w[1]) {
    return Status::invalid_argument("weights " + to_string(w) + " in " + std::to_string(op.group) +
                                    " group(s) do not fit " + to_string(input.shape()));
  }
  Sight sight(op.window, {w.begin() + 2, w.end()}, {input.shape().begin() + 2, input.shape().end()});
  Shape spatial = sight.output();
  Shape shape{input.dim(0), w[0]};
  shape.insert(shape.end(), spatial.begin(), spatial.end());
  ZP_RETURN_IF_ERROR(make_tensor(ElementType::kInt64, shape).status());
  std::vector<std::int64_t> sums(static_cast<std::size_t>(product(shape)));
  std::vector<std::int32_t> x = steps_of(input, 0);
  std::int64_t in_plane = product({input.shape().begin() + 2, input.shape().end()});
  std::int64_t out_plane = product(spatial);
  std::int64_t out_per_group = w[0] / op.group;
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> patch;
  Positions at(spatial);
  for (std::int64_t position = 0; position < (sums.empty() ? 0 : out_plane); ++position, at.next()) {
    sight.offsets(*at, offsets);
    for (std::int64_t i = 0; i < input.dim(0) * op.group; ++i) {  // image and group
      gather(x.data() + i * w[1] * in_plane, w[1], in_plane, offsets,
             static_cast<std::int32_t>(op.input_zero_point), patch);
      accumulate(op.layer, patch.data(), i % op.group * out_per_group, out_per_group,
                 sums.data() + i * out_per_group * out_plane + position, out_plane);
    }
  }
  return finished(op.layer.requantization, sums, std::move(shape), out_plane, type);
}

}  // namespace zeropoint::reference
