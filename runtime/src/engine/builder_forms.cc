// Where tensors lie, and in which form.

#include <algorithm>

#include "engine/builder.h"
#include "engine/steps/convert.h"

namespace zeropoint::engine {
namespace {

/// Bytes behind a buffer's last one that kernels may read.
constexpr std::int64_t kSlack = 2 * kernels::kReadSlack;

/// Whether an image with that halo has a size that can be counted with; pads come from a file.
bool has_room(const Image& image, const Halo& halo) {
  auto sum = [](std::int64_t a, std::int64_t b, std::int64_t c) {
    return static_cast<double>(a) + static_cast<double>(b) + static_cast<double>(c);
  };
  constexpr double kMost = 0x1p40;
  return static_cast<double>(image.batch) * static_cast<double>(image.channels) *
             sum(halo.top, image.height, halo.bottom) * sum(halo.left, image.width, halo.right) <=
         kMost;
}

/// What a convolution reads around its input: its pads, of which holes leave fewer.
Halo halo_of(const Window& window) {
  auto of = [&](const std::vector<std::int64_t>& pads, std::size_t axis) {
    std::int64_t holes = window.holes[axis];
    return pads[axis] <= 0 ? 0 : (pads[axis] + holes - 1) / holes;
  };
  std::size_t last = window.holes.size() - 1;
  Halo halo{0, of(window.pads_begin, last), 0, of(window.pads_end, last)};
  if (last == 1) {
    halo.top = of(window.pads_begin, 0);
    halo.bottom = of(window.pads_end, 0);
  }
  return halo;
}

}  // namespace

std::int64_t Builder::bytes(TensorId id) const {
  return *element_count(shape(id)) * static_cast<std::int64_t>(size_of(type(id)));
}

Place Builder::new_scratch(std::int64_t size) {
  return {add_buffer({Buffer::Home::kArena, 0, nullptr, {size + kSlack, 0, -1}}), 0};
}

Place Builder::new_exact(TensorId id) {
  auto times = std::ranges::count(program_.outputs, id);
  if (times == 1) {
    auto at = std::ranges::find(program_.outputs, id) - program_.outputs.begin();
    value(id).exact = Place{
        add_buffer({Buffer::Home::kOutput, static_cast<std::size_t>(at), nullptr, {bytes(id), 0, -1}}), 0};
  } else {
    value(id).exact = new_scratch(bytes(id));
  }
  return *value(id).exact;
}

Place Builder::new_plain(TensorId id) {
  if (shift_of(type(id)) == 0) {
    value(id).plain = new_exact(id);
  } else {
    value(id).plain = new_scratch(bytes(id));
  }
  return *value(id).plain;
}

Image Builder::image_shape(TensorId id) const {
  const Shape& extents = shape(id);
  Image image;
  image.batch = extents[0];
  image.channels = extents[1];
  image.height = extents.size() == 4 ? extents[2] : 1;
  image.width = extents.back();
  return image;
}

Image Builder::dense_image(TensorId id, Place place) const {
  Image image = image_shape(id);
  image.place = place;
  image.pixel = image.channels;
  image.row = image.width * image.pixel;
  image.plane = image.height * image.row;
  return image;
}

Halo Builder::wanted_halo(TensorId id) const {
  Halo halo;
  for (std::size_t reader : readers(id)) {
    const auto* conv = std::get_if<ConvOp>(&program_.operations[reader]);
    if (conv == nullptr) {
      continue;
    }
    Halo own = halo_of(conv->window);
    halo = {std::max(halo.top, own.top), std::max(halo.left, own.left), std::max(halo.bottom, own.bottom),
            std::max(halo.right, own.right)};
  }
  return has_room(image_shape(id), halo) ? halo : Halo();
}

bool Builder::has_room_for_pads(const ConvOp& op) const {
  Halo halo = wanted_halo(op.input);
  Halo own = halo_of(op.window);
  return own.top <= halo.top && own.left <= halo.left && own.bottom <= halo.bottom && own.right <= halo.right;
}

Image Builder::new_image(TensorId id) {
  if (std::optional<Image> slice = slice_of_concat(id)) {
    value(id).image = slice;
    return *slice;
  }
  Image image = image_shape(id);
  image.halo = wanted_halo(id);
  image.pixel = image.channels;
  image.row = (image.halo.left + image.width + image.halo.right) * image.pixel;
  image.plane = (image.halo.top + image.height + image.halo.bottom) * image.row;
  image.place = new_scratch(image.batch * image.plane);
  image.place.offset = image.halo.top * image.row + image.halo.left * image.pixel;
  value(id).image = image;
  return image;
}

/// Where all that reads a tensor is a concatenation of channels, it is made at its place in the result.
std::optional<Image> Builder::slice_of_concat(TensorId id) {
  if (readers(id).size() != 1 || is_output(id)) {
    return std::nullopt;
  }
  const auto* op = std::get_if<EvaluateOp>(&program_.operations[readers(id)[0]]);
  if (op == nullptr || op->op != Op::kConcat || op->outputs.size() != 1 || op->outputs[0] == kNoTensor ||
      !is_static(op->outputs[0])) {
    return std::nullopt;
  }
  TensorId whole = op->outputs[0];
  std::size_t rank = shape(whole).size();
  std::int64_t axis = int_attribute(op->op, op->attributes, "axis");
  bool of_channels = (axis == 1 || axis + static_cast<std::int64_t>(rank) == 1) && (rank == 3 || rank == 4);
  if (!of_channels || std::ranges::count(op->inputs, id) != 1 || !wants_image(whole)) {
    return std::nullopt;
  }
  Image image = has_image(whole) ? *value(whole).image : new_image(whole);
  for (TensorId input : op->inputs) {
    if (input == id) {
      break;
    }
    image.place.offset += shape(input)[1];
  }
  image.channels = shape(id)[1];
  return image;
}

bool Builder::wants_image(TensorId id, int depth) const {
  if (!is_static(id) || !is_byte(type(id)) || (shape(id).size() != 3 && shape(id).size() != 4)) {
    return false;
  }
  constexpr int kFar = 4;  // operations that care little stand between
  return std::ranges::any_of(readers(id), [&](std::size_t reader) {
    const Operation& operation = program_.operations[reader];
    if (std::holds_alternative<ConvOp>(operation) || std::holds_alternative<AveragePoolOp>(operation)) {
      return true;
    }
    const auto* evaluated = std::get_if<EvaluateOp>(&operation);
    if (evaluated != nullptr && evaluated->op == Op::kMaxPool) {
      return true;
    }
    bool passes = std::holds_alternative<AddOp>(operation) || std::holds_alternative<TableOp>(operation) ||
                  (evaluated != nullptr && (evaluated->op == Op::kConcat || evaluated->op == Op::kPad ||
                                            evaluated->op == Op::kSlice || evaluated->op == Op::kDropout));
    return passes && depth < kFar && wants_image(outputs_of(operation)[0], depth + 1);
  });
}

Place Builder::exact(TensorId id) {
  Value& v = value(id);
  if (v.exact) {
    return *v.exact;
  }
  if (!v.plain && !v.image && !v.flattened) {
    add_reference(*makers_[index(id)]);  // weights that were to stay packed, and this reader cannot have so
    return *v.exact;
  }
  if (v.plain && shift_of(type(id)) == 0) {
    v.exact = v.plain;
    return *v.exact;
  }
  if (!v.plain && !v.image && v.flattened) {
    // [N, H * W * C] to [N, C * H * W]
    Image from = *v.flattened;
    Place to = new_exact(id);
    add(std::make_unique<FromImageStep>(from, to, static_cast<std::uint8_t>(shift_of(type(id)))),
        {from.place, to});
    return to;
  }
  if (v.image) {
    Image from = *v.image;
    Place to = new_exact(id);
    add(std::make_unique<FromImageStep>(from, to, static_cast<std::uint8_t>(shift_of(type(id)))),
        {from.place, to});
    return to;
  }
  Place from = *v.plain;
  Place to = new_exact(id);
  add(std::make_unique<ShiftStep>(from, to, bytes(id), static_cast<std::uint8_t>(shift_of(type(id)))),
      {from, to});
  return to;
}

Place Builder::plain(TensorId id) {
  Value& v = value(id);
  if (v.plain) {
    return *v.plain;
  }
  if (v.exact && shift_of(type(id)) == 0) {
    v.plain = v.exact;
    return *v.plain;
  }
  std::optional<Image> from = v.image ? v.image : v.flattened;
  if (from) {
    if (from->is_dense() && (from->channels == 1 || from->height * from->width == 1)) {
      v.plain = from->place;
      return *v.plain;
    }
    Image image = *from;
    Place to = new_scratch(bytes(id));
    add(std::make_unique<FromImageStep>(image, to, std::uint8_t{0}), {image.place, to});
    value(id).plain = to;
    return to;
  }
  Place exact_place = *v.exact;
  Place to = new_scratch(bytes(id));
  add(std::make_unique<ShiftStep>(exact_place, to, bytes(id), static_cast<std::uint8_t>(shift_of(type(id)))),
      {exact_place, to});
  value(id).plain = to;
  return to;
}

Image Builder::image(TensorId id) {
  Value& v = value(id);
  if (v.image) {
    return *v.image;
  }
  Place from = plain(id);
  Image shape_only = image_shape(id);
  bool same_order = shape_only.channels == 1 || shape_only.height * shape_only.width == 1;
  if (same_order && wanted_halo(id).none()) {
    value(id).image = dense_image(id, from);
    return *value(id).image;
  }
  Image to = new_image(id);
  add(std::make_unique<ToImageStep>(from, to), {from, to.place});
  return to;
}

std::optional<Image> Builder::flattened_image(TensorId id) { return value(id).flattened; }

Place Builder::padded_plain(TensorId id) {
  Place place = plain(id);
  if (is_in_arena(place)) {
    return place;
  }
  Place to = new_scratch(bytes(id));
  add(std::make_unique<ShiftStep>(place, to, bytes(id), std::uint8_t{0}), {place, to});
  value(id).plain = to;
  return to;
}

Image Builder::padded_image(TensorId id) {
  Image from = image(id);
  Halo wanted = wanted_halo(id);
  bool roomy = from.halo.top >= wanted.top && from.halo.left >= wanted.left &&
               from.halo.bottom >= wanted.bottom && from.halo.right >= wanted.right;
  if (roomy && is_in_arena(from.place)) {
    return from;
  }
  value(id).image.reset();
  Image to = new_image(id);
  add(std::make_unique<CopyImageStep>(from, to), {from.place, to.place});
  return to;
}

void Builder::alias(TensorId id, TensorId source) {
  Value& from = value(source);
  Value& to = value(id);
  if (from.plain || from.exact) {
    to.plain = from.plain;
    to.exact = from.exact;
    return;
  }
  const Shape& before = shape(source);
  const Shape& after = shape(id);
  const Image* image = from.image ? &*from.image : from.flattened ? &*from.flattened : nullptr;
  bool joins = after.size() == 2 && image != nullptr && after[0] == image->batch;
  if (joins) {
    to.flattened = *image;
  } else if (before == after) {
    to.image = from.image;
    to.flattened = from.flattened;
  } else {
    to.plain = plain(source);
  }
}

}  // namespace zeropoint::engine
