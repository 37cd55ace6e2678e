// Transpose by the strides of its axes, whatever its size.

#include <algorithm>
#include <limits>
#include <numeric>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/steps/move_step.h"
#include "operators/move_elements.h"
#include "operators/window_taps.h"

namespace zeropoint::engine {
namespace {

/// An axis of the result; strides in bytes.
struct Axis {
  std::int64_t extent;
  std::int64_t from;
  std::int64_t to;
};

Shape strides_of(const Shape& shape, std::int64_t element, const Image* image) {
  if (image != nullptr) {
    return {image->plane, 1, image->row, image->pixel};
  }
  Shape strides = operators::strides_of(shape);
  std::for_each(strides.begin(), strides.end(), [&](std::int64_t& stride) { stride *= element; });
  return strides;
}

/// The axes from the widest to the narrowest step of the result, joined where both sides go through them as
/// through one; an axis of neighbours becomes the length of a move.
std::vector<Axis> joined(std::vector<Axis> axes, std::int64_t& bytes) {
  std::erase_if(axes, [](const Axis& axis) { return axis.extent == 1; });
  std::sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.to > b.to; });
  std::vector<Axis> result;
  for (const Axis& axis : axes) {
    bool one = !result.empty() && result.back().from == axis.from * axis.extent &&
               result.back().to == axis.to * axis.extent;
    if (one) {
      result.back() = {result.back().extent * axis.extent, axis.from, axis.to};
    } else {
      result.push_back(axis);
    }
  }
  bool neighbours = !result.empty() && result.back().from == bytes && result.back().to == bytes &&
                    result.back().extent <= std::numeric_limits<std::int32_t>::max() / bytes;
  if (neighbours) {
    bytes *= result.back().extent;
    result.pop_back();
  }
  return result;
}

/// Series along the longest axis. Pieces of it, so that what one reads of a line of memory is still at hand
/// for the next.
std::vector<MoveStep::Series> series_of(std::vector<Axis> axes, std::int64_t bytes) {
  constexpr std::int64_t kPiece = 256;
  auto longest = std::max_element(axes.begin(), axes.end(),
                                  [](const Axis& a, const Axis& b) { return a.extent < b.extent; });
  Axis along = axes.empty() ? Axis{1, 0, 0} : *longest;
  if (!axes.empty()) {
    axes.erase(longest);
  }
  Shape extents;
  for (const Axis& axis : axes) {
    extents.push_back(axis.extent);
  }
  std::vector<MoveStep::Series> series;
  for (std::int64_t begin = 0; begin < along.extent; begin += kPiece) {
    operators::Positions at(extents);
    do {
      MoveStep::Move first{begin * along.to, begin * along.from, 0, static_cast<std::int32_t>(bytes)};
      for (std::size_t i = 0; i < axes.size(); ++i) {
        first.to += (*at)[i] * axes[i].to;
        first.from += (*at)[i] * axes[i].from;
      }
      series.push_back({first, std::min(kPiece, along.extent - begin), along.to, along.from});
    } while (at.next());
  }
  return series;
}

}  // namespace

bool build_transpose(Builder& builder, const EvaluateOp& op) {
  TensorId input = op.inputs[0];
  TensorId output = op.outputs[0];
  ElementType type = builder.type(input);
  Shape perm = ints_attribute(op.attributes, "perm");
  Shape order(builder.shape(input).size());
  std::iota(order.rbegin(), order.rend(), 0);
  if (perm.empty()) {
    perm = order;
  }
  const Shape& shape = builder.shape(output);
  constexpr std::int64_t kMostSeries = std::int64_t{1} << 20;
  std::int64_t longest = shape.empty() ? 1 : *std::max_element(shape.begin(), shape.end());
  if (!std::is_permutation(perm.begin(), perm.end(), order.begin(), order.end()) ||
      builder.type(output) != type || *element_count(shape) / longest > kMostSeries) {
    return false;  // the reference does it, or says what is wrong
  }
  bool in_bytes = is_byte(type);
  bool as_images = in_bytes && perm.size() == 4 && builder.has_image(input);
  auto element = static_cast<std::int64_t>(size_of(type));
  Image from = as_images ? builder.image(input) : Image();
  Image to = as_images ? builder.new_image(output) : Image();
  auto step = std::make_unique<MoveStep>();
  step->inputs = {as_images ? from.place : in_bytes ? builder.plain(input) : builder.exact(input)};
  step->output = as_images ? to.place : in_bytes ? builder.new_plain(output) : builder.new_exact(output);
  Shape from_strides = strides_of(builder.shape(input), element, as_images ? &from : nullptr);
  Shape to_strides = strides_of(shape, element, as_images ? &to : nullptr);
  std::vector<Axis> axes;
  for (std::size_t i = 0; i < perm.size(); ++i) {
    axes.push_back({shape[i], from_strides[static_cast<std::size_t>(perm[i])], to_strides[i]});
  }
  std::int64_t bytes = element;
  axes = joined(std::move(axes), bytes);
  step->series = series_of(std::move(axes), bytes);
  step->prepare();
  step->profile.name = builder.program().tensor(output).name;
  step->profile.operation = describe(op);
  step->profile.kernel = "move";
  std::vector<Place> places{step->inputs[0], step->output};
  builder.add(std::move(step), places);
  return true;
}

}  // namespace zeropoint::engine
