#include "import/onnx_tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <span>

#include "import/external_data.h"

namespace zeropoint::toolchain {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian and copied as it is");

/// Elements from one of the typed fields, narrowed to the stored type (int32_data holds everything up to 32
/// bits).
template <typename T, typename Field>
Status copy_field(const Field& field, Tensor& tensor) {
  auto* out = reinterpret_cast<T*>(tensor.bytes());
  for (int i = 0; i < field.size(); ++i) {
    out[i] = static_cast<T>(field[i]);
  }
  return {};
}

/// The entries of the field that holds elements of the type.
std::size_t elements_present(const onnx::TensorProto& proto, ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return static_cast<std::size_t>(proto.float_data_size());
    case ElementType::kFloat64:
      return static_cast<std::size_t>(proto.double_data_size());
    case ElementType::kInt64:
      return static_cast<std::size_t>(proto.int64_data_size());
    case ElementType::kUint32:
    case ElementType::kUint64:
      return static_cast<std::size_t>(proto.uint64_data_size());
    default:
      return static_cast<std::size_t>(proto.int32_data_size());
  }
}

bool is_packed(ElementType type) { return type == ElementType::kInt4 || type == ElementType::kUint4; }

/// Whether the proto holds what `count` elements need.
bool is_filled(const onnx::TensorProto& proto, ElementType type, std::int64_t count) {
  if (proto.has_raw_data()) {
    return proto.raw_data().size() == stored_bytes(type, count);
  }
  auto needed = static_cast<std::size_t>(is_packed(type) ? (count + 1) / 2 : count);
  return elements_present(proto, type) == needed;
}

/// Each byte holds two elements, the first one in its low half.
void unpack(std::string_view bytes, Tensor& tensor) {
  bool is_signed = tensor.type() == ElementType::kInt4;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    auto byte = static_cast<unsigned char>(bytes[static_cast<std::size_t>(i / 2)]);
    int nibble = i % 2 == 0 ? byte & 15 : byte >> 4;
    tensor.bytes()[i] = static_cast<std::byte>(is_signed && nibble > 7 ? nibble - 16 : nibble);
  }
}

Status copy_typed(const onnx::TensorProto& proto, Tensor& tensor) {
  switch (tensor.type()) {
    case ElementType::kFloat32:
      return copy_field<float>(proto.float_data(), tensor);
    case ElementType::kFloat64:
      return copy_field<double>(proto.double_data(), tensor);
    case ElementType::kInt64:
      return copy_field<std::int64_t>(proto.int64_data(), tensor);
    case ElementType::kUint64:
      return copy_field<std::uint64_t>(proto.uint64_data(), tensor);
    case ElementType::kUint32:
      return copy_field<std::uint32_t>(proto.uint64_data(), tensor);
    case ElementType::kInt32:
      return copy_field<std::int32_t>(proto.int32_data(), tensor);
    case ElementType::kInt16:
      return copy_field<std::int16_t>(proto.int32_data(), tensor);
    case ElementType::kInt8:
      return copy_field<std::int8_t>(proto.int32_data(), tensor);
    case ElementType::kUint16:
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
      return copy_field<std::uint16_t>(proto.int32_data(), tensor);
    case ElementType::kUint8:
    case ElementType::kBool:
      return copy_field<std::uint8_t>(proto.int32_data(), tensor);
    case ElementType::kInt4:
    case ElementType::kUint4: {
      std::string bytes(proto.int32_data().begin(), proto.int32_data().end());
      unpack(bytes, tensor);
      return {};
    }
  }
  return Status::internal("an element type without a field");
}

}  // namespace

bool is_element_type(int data_type) {
  return data_type >= 0 && data_type < 256 && name_of(static_cast<ElementType>(data_type)) != "unknown";
}

std::size_t stored_bytes(ElementType type, std::int64_t count) {
  auto elements = static_cast<std::size_t>(count);
  return is_packed(type) ? (elements + 1) / 2 : elements * size_of(type);
}

std::string stored_form(const Tensor& tensor) {
  if (!is_packed(tensor.type())) {
    return {reinterpret_cast<const char*>(tensor.bytes()), tensor.byte_size()};
  }
  std::string packed(stored_bytes(tensor.type(), tensor.size()), '\0');
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    int nibble = static_cast<int>(tensor.bytes()[i]) & 15;
    char& byte = packed[static_cast<std::size_t>(i / 2)];
    byte = static_cast<char>(static_cast<unsigned char>(byte) | (i % 2 == 0 ? nibble : nibble << 4));
  }
  return packed;
}

Result<Tensor> tensor_from_proto(const onnx::TensorProto& proto, const std::string& folder) {
  if (!is_element_type(proto.data_type())) {
    return Status::unsupported(fmt::format("element type {} is not supported", proto.data_type()));
  }
  auto type = static_cast<ElementType>(proto.data_type());
  Shape shape(proto.dims().begin(), proto.dims().end());
  ZP_ASSIGN_OR_RETURN(std::int64_t count, element_count(shape));
  if (count > std::numeric_limits<std::int64_t>::max() / 16) {
    return Status::corrupt(
        fmt::format("its data does not fill its shape {} of {}", to_string(shape), name_of(type)));
  }
  bool external = proto.data_location() == onnx::TensorProto::EXTERNAL;
  if (external) {
    ZP_RETURN_IF_ERROR(check_external(proto, folder, stored_bytes(type, count)));
  } else if (!is_filled(proto, type, count)) {
    return Status::corrupt(
        fmt::format("its data does not fill its shape {} of {}", to_string(shape), name_of(type)));
  }
  Tensor tensor(type, std::move(shape));
  if (external && is_packed(type)) {
    std::string packed(stored_bytes(type, count), '\0');
    ZP_RETURN_IF_ERROR(read_external(proto, folder, std::as_writable_bytes(std::span(packed))));
    unpack(packed, tensor);
  } else if (external) {
    ZP_RETURN_IF_ERROR(read_external(proto, folder, {tensor.bytes(), tensor.byte_size()}));
  } else if (proto.has_raw_data() && is_packed(type)) {
    unpack(proto.raw_data(), tensor);
  } else if (proto.has_raw_data()) {
    std::memcpy(tensor.bytes(), proto.raw_data().data(), tensor.byte_size());
  } else {
    ZP_RETURN_IF_ERROR(copy_typed(proto, tensor));
  }
  if (type == ElementType::kBool) {  // any byte but 0 is true
    std::transform(tensor.bytes(), tensor.bytes() + tensor.byte_size(), tensor.bytes(),
                   [](std::byte b) { return b == std::byte{0} ? std::byte{0} : std::byte{1}; });
  }
  return tensor;
}

void tensor_to_proto(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto) {
  proto.set_name(name);
  proto.set_data_type(static_cast<int>(tensor.type()));
  for (std::int64_t extent : tensor.shape()) {
    proto.add_dims(extent);
  }
  if (is_packed(tensor.type())) {
    proto.set_raw_data(stored_form(tensor));
  } else {
    proto.set_raw_data(tensor.bytes(), tensor.byte_size());
  }
}

}  // namespace zeropoint::toolchain
