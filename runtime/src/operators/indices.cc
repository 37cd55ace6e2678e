#include "operators/indices.h"

#include "operators/axes.h"

namespace zeropoint::operators {
namespace {

Status do_not_fit(const Tensor& indices, const Shape& shape) {
  return Status::invalid_argument("indices ", indices.shape(), " do not fit input ", shape);
}

/// The elements as they are.
Result<std::vector<std::int64_t>> elements_of(const Tensor& indices) {
  if (indices.type() == ElementType::kInt64) {
    std::span<const std::int64_t> values = indices.data<std::int64_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  if (indices.type() == ElementType::kInt32) {
    std::span<const std::int32_t> values = indices.data<std::int32_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  return Status::invalid_argument("its indices are ", name_of(indices.type()), "; int64 or int32 is needed");
}

Result<std::int64_t> index_in(std::int64_t index, std::int64_t extent) {
  if (index < -extent || index >= extent) {
    return Status::invalid_argument("index ", index, " is outside of an axis of ", extent, " elements");
  }
  return index < 0 ? index + extent : index;
}

}  // namespace

Result<std::vector<std::int64_t>> indices_of(const Tensor& indices, std::int64_t extent) {
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> elements, elements_of(indices));
  for (std::int64_t& element : elements) {
    ZP_ASSIGN_OR_RETURN(element, index_in(element, extent));
  }
  return elements;
}

Result<ElementsAt> ElementsAt::of(const Shape& shape, const Tensor& indices, std::size_t axis) {
  ElementsAt at;
  bool fits = indices.shape().size() == shape.size();
  for (std::size_t i = 0; fits && i < shape.size(); ++i) {
    fits = i == axis || indices.shape()[i] <= shape[i];
  }
  if (!fits) {
    return do_not_fit(indices, shape);
  }
  ZP_ASSIGN_OR_RETURN(at.indices_, indices_of(indices, shape[axis]));
  at.extents_ = indices.shape();
  at.strides_ = strides_of(shape);
  at.axis_ = axis;
  return at;
}

Result<SlicesAt> SlicesAt::of(const Shape& shape, const Tensor& indices, std::int64_t batch) {
  const Shape& own = indices.shape();
  auto rank = static_cast<std::int64_t>(shape.size());
  bool fits =
      !own.empty() && batch >= 0 && batch < indices.rank() && own.back() >= 1 && own.back() <= rank - batch;
  for (std::size_t i = 0; fits && i < static_cast<std::size_t>(batch); ++i) {
    fits = shape[i] == own[i];
  }
  if (!fits) {
    return do_not_fit(indices, shape);
  }
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> elements, elements_of(indices));
  auto depth = static_cast<std::size_t>(own.back());
  auto batches = static_cast<std::size_t>(batch);
  std::vector<std::int64_t> strides = strides_of(shape);
  SlicesAt at{{}, {shape.begin() + batch + own.back(), shape.end()}, 0};
  at.slice_size = extent_between(shape, batches + depth, shape.size());
  std::int64_t batch_size = extent_between(shape, batches, shape.size());
  std::int64_t per_batch = extent_between(own, batches, own.size() - 1);
  std::int64_t count = extent_between(own, 0, own.size() - 1);
  for (std::int64_t i = 0; i < count && at.slice_size > 0; ++i) {
    std::int64_t offset = i / per_batch * batch_size;
    for (std::size_t k = 0; k < depth; ++k) {
      std::int64_t index = elements[static_cast<std::size_t>(i) * depth + k];
      ZP_ASSIGN_OR_RETURN(index, index_in(index, shape[batches + k]));
      offset += index * strides[batches + k];
    }
    at.offsets.push_back(offset);
  }
  return at;
}

}  // namespace zeropoint::operators
