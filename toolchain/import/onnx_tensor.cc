#include "import/onnx_tensor.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

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

/// How many elements the proto truly holds for its type.
std::size_t elements_present(const onnx::TensorProto& proto, ElementType type) {
  if (proto.has_raw_data()) {
    std::size_t element = size_of(type);
    return proto.raw_data().size() % element == 0 ? proto.raw_data().size() / element : std::string::npos;
  }
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
    case ElementType::kUint4:
      return Status::unsupported("4-bit tensors are not read yet");
  }
  return Status::internal("an element type without a field");
}

}  // namespace

bool is_element_type(int data_type) {
  return data_type >= 0 && data_type < 256 && name_of(static_cast<ElementType>(data_type)) != "unknown";
}

Result<Tensor> tensor_from_proto(const onnx::TensorProto& proto) {
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    return Status::unsupported("its data is in another file, which is not read yet");
  }
  if (!is_element_type(proto.data_type())) {
    return Status::unsupported(fmt::format("element type {} is not supported", proto.data_type()));
  }
  auto type = static_cast<ElementType>(proto.data_type());
  Shape shape(proto.dims().begin(), proto.dims().end());
  ZP_ASSIGN_OR_RETURN(std::int64_t count, element_count(shape));
  if (elements_present(proto, type) != static_cast<std::size_t>(count)) {
    return Status::corrupt(
        fmt::format("its data does not fill its shape {} of {}", to_string(shape), name_of(type)));
  }
  Tensor tensor(type, std::move(shape));
  if (proto.has_raw_data()) {
    std::memcpy(tensor.bytes(), proto.raw_data().data(), tensor.byte_size());
    return tensor;
  }
  ZP_RETURN_IF_ERROR(copy_typed(proto, tensor));
  return tensor;
}

void tensor_to_proto(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto) {
  proto.set_name(name);
  proto.set_data_type(static_cast<int>(tensor.type()));
  for (std::int64_t extent : tensor.shape()) {
    proto.add_dims(extent);
  }
  proto.set_raw_data(tensor.bytes(), tensor.byte_size());
}

}  // namespace zeropoint::toolchain
