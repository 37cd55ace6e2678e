#pragma once

#include <cstdint>
#include <vector>

#include "operators/move_elements.h"
#include "operators/window_taps.h"
#include "zeropoint/operator.h"

namespace zeropoint::operators {

/// The elements of an int64 or int32 tensor of any shape as indices into `extent` elements, those below 0
/// counted from the end; kInvalidArgument for one outside.
Result<std::vector<std::int64_t>> indices_of(const Tensor& indices, std::int64_t extent);

/// Elements of a tensor that indices along one axis name, as in GatherElements and ScatterElements.
class ElementsAt {
 public:
  /// `indices` must have as many axes as `shape`, and nowhere but at `axis` more elements.
  static Result<ElementsAt> of(const Shape& shape, const Tensor& indices, std::size_t axis);

  /// Calls function(i, at) for each index i in order, `at` being the offset of the element it names.
  template <typename Function>
  void for_each(Function&& function) const {
    if (indices_.empty()) {
      return;
    }
    Positions position(extents_);
    std::int64_t i = 0;
    do {
      std::int64_t at = indices_[static_cast<std::size_t>(i)] * strides_[axis_];
      for (std::size_t k = 0; k < strides_.size(); ++k) {
        at += k == axis_ ? 0 : (*position)[k] * strides_[k];
      }
      function(i++, at);
    } while (position.next());
  }

 private:
  std::vector<std::int64_t> indices_;
  Shape extents_;
  std::vector<std::int64_t> strides_;
  std::size_t axis_ = 0;
};

/// Slices of a tensor that the last axis of indices names, as in GatherND and ScatterND.
struct SlicesAt {
  std::vector<std::int64_t> offsets;  ///< of the slices' first elements
  Shape slice;                        ///< the shape of each
  std::int64_t slice_size;

  /// The first `batch` axes of `shape` and `indices` must be the same, and go side by side.
  static Result<SlicesAt> of(const Shape& shape, const Tensor& indices, std::int64_t batch);
};

}  // namespace zeropoint::operators
