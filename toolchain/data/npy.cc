#include "zeropoint/toolchain/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "data/boundary.h"
#include "data/npy_elements.h"
#include "zeropoint/half.h"
#include "zeropoint/operator.h"
#include "zeropoint/toolchain/file.h"

namespace zeropoint::toolchain {
namespace {

/// The elements of an array whose first axis varies fastest, with the last one doing so.
Result<Tensor> transposed(Tensor tensor) {
  tensor.reshape({tensor.shape().rbegin(), tensor.shape().rend()});
  const Tensor* input = &tensor;
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> made, evaluate(OperatorCall(Op::kTranspose, {}, {&input, 1})));
  return std::move(made[0]);
}

std::string header_text(const char* descr, const Shape& shape) {
  std::string extents;
  for (std::int64_t extent : shape) {
    extents += fmt::format("{}{}", extents.empty() ? "" : " ", fmt::format("{},", extent));
  }
  if (shape.size() > 1) {
    extents.pop_back();
  }
  std::string text =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, extents);
  // The elements begin at a multiple of 64, as NumPy aligns them.
  constexpr std::size_t kBefore = 10;
  std::size_t padded = (kBefore + text.size() + 1 + 63) / 64 * 64 - kBefore;
  text.resize(padded - 1, ' ');
  return text + "\n";
}

const char* descr_of(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "<f4";
    case ElementType::kFloat64:
      return "<f8";
    case ElementType::kFloat16:
      return "<f2";
    case ElementType::kInt8:
    case ElementType::kInt4:
      return "|i1";
    case ElementType::kUint8:
    case ElementType::kUint4:
      return "|u1";
    case ElementType::kInt16:
      return "<i2";
    case ElementType::kUint16:
      return "<u2";
    case ElementType::kInt32:
      return "<i4";
    case ElementType::kUint32:
      return "<u4";
    case ElementType::kInt64:
      return "<i8";
    case ElementType::kUint64:
      return "<u8";
    case ElementType::kBool:
      return "|b1";
    case ElementType::kBFloat16:
      break;
  }
  return nullptr;
}

}  // namespace

void to_native_elements(const NpyHeader& header, std::span<std::byte> elements) {
  std::size_t width = size_of(header.type);
  if (header.big_endian == (std::endian::native == std::endian::little) && width > 1) {
    for (std::size_t at = 0; at + width <= elements.size(); at += width) {
      std::reverse(elements.begin() + static_cast<std::ptrdiff_t>(at),
                   elements.begin() + static_cast<std::ptrdiff_t>(at + width));
    }
  }
  if (header.type == ElementType::kBool) {
    for (std::byte& element : elements) {
      element = element == std::byte{0} ? std::byte{0} : std::byte{1};
    }
  }
}

Result<Tensor> parse_npy(std::span<const std::byte> content) {
  return without_exceptions(".npy", [&]() -> Result<Tensor> {
    ZP_ASSIGN_OR_RETURN(NpyHeader header, parse_npy_header(content, content.size()));
    Tensor tensor(header.type, header.shape);
    std::span<std::byte> elements(tensor.bytes(), tensor.byte_size());
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(header.offset), elements.size(),
                elements.begin());
    to_native_elements(header, elements);
    return header.fortran_order ? transposed(std::move(tensor)) : std::move(tensor);
  });
}

Result<Tensor> read_npy(const std::string& path) {
  return without_exceptions(path.c_str(), [&]() -> Result<Tensor> {
    ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, read_file(path));
    Result<Tensor> tensor = parse_npy(content);
    return tensor.ok() ? std::move(tensor) : tensor.status().at(path);
  });
}

Result<std::vector<std::byte>> to_npy(const Tensor& tensor) {
  return without_exceptions(".npy", [&]() -> Result<std::vector<std::byte>> {
    if (tensor.type() == ElementType::kBFloat16) {
      return to_npy(widen(tensor));
    }
    std::string text = header_text(descr_of(tensor.type()), tensor.shape());
    std::string beginning = std::string("\x93NUMPY\x01\0", 8);
    beginning += static_cast<char>(text.size() & 0xff);
    beginning += static_cast<char>(text.size() >> 8);
    beginning += text;
    std::vector<std::byte> content(beginning.size() + tensor.byte_size());
    std::memcpy(content.data(), beginning.data(), beginning.size());
    if (tensor.byte_size() > 0) {
      std::memcpy(content.data() + beginning.size(), tensor.bytes(), tensor.byte_size());
    }
    std::span<std::byte> elements = std::span(content).subspan(beginning.size());
    // The other way round is the same way: on a machine of the other byte order, from it to the file's.
    to_native_elements(
        {.type = tensor.type(), .big_endian = false, .fortran_order = false, .shape = {}, .offset = 0},
        elements);
    return content;
  });
}

Status write_npy(const std::string& path, const Tensor& tensor) {
  ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, to_npy(tensor));
  return write_file(path, content);
}

}  // namespace zeropoint::toolchain
