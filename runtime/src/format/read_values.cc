#include "format/read_values.h"

#include <algorithm>

#include "format/packed_integers.h"

namespace zeropoint::format {

std::optional<Tensor> Storage::find_or_unpack(const std::byte* packed, int bits, ElementType type,
                                              const Shape& shape, std::uint64_t count, std::uint64_t& room) {
  auto [place, is_new] = known_.try_emplace({packed, bits, type, count}, unpacked_.size());
  if (is_new) {
    if (count > room) {
      return std::nullopt;
    }
    room -= count;
    unpacked_.emplace_back(type, shape);
    unpack({packed, packed_size(count, bits)}, bits, unpacked_.back());
  }
  return Tensor::borrow(type, shape, unpacked_[place->second].bytes());
}

bool ValueReader::take(std::uint64_t bytes) {
  if (bytes > room_for_lists_) {
    fail("its parts together are larger than the file");
    return false;
  }
  room_for_lists_ -= bytes;
  return status_.ok();
}

std::string ValueReader::text(const flatbuffers::String* string) {
  return string == nullptr || !take(string->size()) ? "" : string->str();
}

ElementType ValueReader::element_type(std::uint8_t number) {
  std::optional<ElementType> type = element_type_of(number);
  if (!type) {
    fail("there is no element type ", number);
  }
  return type.value_or(ElementType::kFloat32);
}

bool ValueReader::elements_are_sound(const Tensor& tensor) {
  auto all_in = [&](int least, int most) {
    return std::all_of(tensor.bytes(), tensor.bytes() + tensor.byte_size(), [&](std::byte byte) {
      int value = least < 0 ? static_cast<std::int8_t>(byte) : std::to_integer<int>(byte);
      return value >= least && value <= most;
    });
  };
  switch (tensor.type()) {
    case ElementType::kBool:
      return all_in(0, 1);
    case ElementType::kUint4:
      return all_in(0, 15);
    case ElementType::kInt4:
      return all_in(-8, 7);
    default:
      return true;
  }
}

Tensor ValueReader::tensor(const zpm::Tensor* tensor) {
  ElementType type = element_type(tensor->type());
  Shape shape = list(tensor->shape());
  Result<std::int64_t> elements = element_count(shape);
  std::uint64_t bytes = 0;
  if (!elements.ok() ||
      __builtin_mul_overflow(static_cast<std::uint64_t>(*elements), size_of(type), &bytes)) {
    fail("a tensor has the shape ", shape);
    return {};
  }
  int bits = tensor->packed_bits();
  if (bits > 7 || (bits != 0 && (!is_integer(type) || size_of(type) != 1))) {
    fail("a tensor of ", name_of(type), " is packed in ", bits, " bits");
    return {};
  }
  auto count = static_cast<std::uint64_t>(*elements);
  std::uint64_t stored = bits == 0 ? bytes : packed_size(count, bits);
  if (tensor->offset() % 64 != 0 || tensor->offset() > data_.size() ||
      stored > data_.size() - tensor->offset()) {
    fail("a tensor lies outside of the data: ", stored, " bytes at ", tensor->offset());
    return {};
  }
  if (!status_.ok()) {
    return {};
  }
  const std::byte* memory = data_.data() + tensor->offset();
  std::optional<Tensor> view;
  if (bits == 0) {
    // The memory is writable, though nobody is meant to write there.
    view = Tensor::borrow(type, shape, const_cast<std::byte*>(memory));
  } else {
    view = storage_->find_or_unpack(memory, bits, type, shape, count, room_for_unpacked_);
  }
  if (!view || !elements_are_sound(*view)) {
    view ? fail("an element is none of ", name_of(type)) : fail("its packed tensors overlap each other");
    return {};
  }
  return *std::move(view);
}

std::shared_ptr<const Tensor> ValueReader::constant(const zpm::Tensor* tensor) {
  struct Kept {
    std::shared_ptr<Storage> storage;
    Tensor view;
  };
  auto kept = std::make_shared<Kept>(Kept{storage_, this->tensor(tensor)});
  return {kept, &kept->view};
}

Op ValueReader::op(const zpm::Operator* op) {
  std::string name = text(op->name());
  std::string domain = text(op->domain());
  std::optional<Op> found = find_op(name, domain);
  if (!found || info_of(*found).since != op->since()) {
    if (status_.ok()) {
      status_ = Status::unsupported("operator ", (domain.empty() ? "" : domain + "."), name, " of opset ",
                                    op->since(), " is not known to this version");
    }
    return Op{};
  }
  return *found;
}

Attribute ValueReader::attribute(const zpm::Attribute* attribute) {
  switch (attribute->kind()) {
    case zpm::AttributeKind::Int:
      return attribute->int_value();
    case zpm::AttributeKind::Float:
      return attribute->float_value();
    case zpm::AttributeKind::String:
      return text(attribute->string_value());
    case zpm::AttributeKind::Ints:
      return list(attribute->ints());
    case zpm::AttributeKind::Floats:
      return list(attribute->floats());
    case zpm::AttributeKind::Strings: {
      std::vector<std::string> strings;
      if (attribute->strings() != nullptr && take(attribute->strings()->size() * sizeof(std::string))) {
        for (const flatbuffers::String* string : *attribute->strings()) {
          strings.push_back(text(string));
        }
      }
      return strings;
    }
    case zpm::AttributeKind::Tensor:
      if (attribute->tensor() != nullptr) {
        return constant(attribute->tensor());
      }
      break;
  }
  fail("an attribute has no value");
  return std::int64_t{0};
}

Attributes ValueReader::attributes(const flatbuffers::Vector<flatbuffers::Offset<zpm::Attribute>>* list) {
  Attributes attributes;
  for (flatbuffers::uoffset_t i = 0; list != nullptr && status_.ok() && i < list->size(); ++i) {
    const zpm::Attribute* one = list->Get(i);
    std::string name = text(one->name());
    if (!attributes.emplace(name, attribute(one)).second) {
      fail("attribute '", name, "' is there twice");
    }
  }
  return attributes;
}

Dequantization ValueReader::dequantization(const zpm::Dequantization* from) {
  return {list(from->scales()), from->zero_point(), from->axis()};
}

Requantization ValueReader::requantization(const zpm::Requantization* how) {
  Requantization read{{}, how->zero_point(), {how->q_min(), how->q_max()}};
  if (how->fixed_multipliers() != nullptr) {
    std::vector<FixedPointMultiplier> multipliers;
    if (take(how->fixed_multipliers()->size() * sizeof(FixedPointMultiplier))) {
      for (const zpm::FixedPointMultiplier* one : *how->fixed_multipliers()) {
        multipliers.push_back({one->mantissa(), one->shift()});
      }
    }
    read.multipliers = std::move(multipliers);
  } else {
    read.multipliers = list(how->float_multipliers());
  }
  return read;
}

LinearLayer ValueReader::layer(const zpm::LinearLayer* layer) {
  LinearLayer read{tensor(layer->weights()), list(layer->folded_bias()), element_type(layer->accumulator()),
                   std::nullopt};
  if (layer->requantization() != nullptr) {
    read.requantization = requantization(layer->requantization());
  }
  return read;
}

Window ValueReader::window(const zpm::Window* window) {
  return {list(window->strides()), list(window->dilations()), list(window->holes()),
          list(window->pads_begin()), list(window->pads_end())};
}

}  // namespace zeropoint::format
