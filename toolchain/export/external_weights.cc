#include "export/external_weights.h"

#include <filesystem>
#include <span>
#include <vector>

#include "import/onnx_tensor.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::size_t kSmallest = 1024;
// What systems map files by: pages of 4 KiB; Windows wants 64 KiB, which only large tensors are worth.
constexpr std::uint64_t kPage = 4096;
constexpr std::size_t kLarge = std::size_t{1} << 20;
constexpr std::uint64_t kGranularity = 65536;

void say(onnx::TensorProto& proto, const char* key, const std::string& value) {
  onnx::StringStringEntryProto& entry = *proto.add_external_data();
  entry.set_key(key);
  entry.set_value(value);
}

}  // namespace

Result<ExternalWeights> ExternalWeights::create(const std::string& path) {
  ZP_ASSIGN_OR_RETURN(NewFile file, NewFile::create(path));
  return ExternalWeights(std::move(file), std::filesystem::path(path).filename().string());
}

bool ExternalWeights::takes(const Tensor& tensor) {
  return stored_bytes(tensor.type(), tensor.size()) >= kSmallest;
}

Status ExternalWeights::add(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto) {
  std::size_t bytes = stored_bytes(tensor.type(), tensor.size());
  std::uint64_t alignment = bytes >= kLarge ? kGranularity : kPage;
  std::uint64_t offset = (size_ + alignment - 1) / alignment * alignment;
  ZP_RETURN_IF_ERROR(file_.write(std::vector<std::byte>(offset - size_)));
  if (bytes == tensor.byte_size()) {
    ZP_RETURN_IF_ERROR(file_.write({tensor.bytes(), bytes}));
  } else {
    std::string packed = stored_form(tensor);
    ZP_RETURN_IF_ERROR(file_.write(std::as_bytes(std::span(packed))));
  }
  size_ = offset + bytes;
  proto.set_name(name);
  proto.set_data_type(static_cast<int>(tensor.type()));
  for (std::int64_t extent : tensor.shape()) {
    proto.add_dims(extent);
  }
  proto.set_data_location(onnx::TensorProto::EXTERNAL);
  say(proto, "location", location_);
  say(proto, "offset", std::to_string(offset));
  say(proto, "length", std::to_string(bytes));
  return {};
}

}  // namespace zeropoint::toolchain
