#include "zeropoint/toolchain/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "data/boundary.h"
#include "data/gunzip.h"
#include "zeropoint/toolchain/file.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::uint8_t kUnsignedByte = 0x08;
/// What a gzip stream is believed to hold before it was inflated.
constexpr std::size_t kFirstPiece = std::size_t{1} << 20;

/// The uncompressed counterpart of Gunzip.
class Plain {
 public:
  explicit Plain(std::span<const std::byte> content) : rest_(content) {}

  Status read(std::span<std::uint8_t> out) {
    if (out.size() > rest_.size()) {
      return Status::corrupt("the content ends too early");
    }
    if (!out.empty()) {
      std::memcpy(out.data(), rest_.data(), out.size());
    }
    rest_ = rest_.subspan(out.size());
    return {};
  }

  [[nodiscard]] Status finish() const {
    return rest_.empty() ? Status() : Status::corrupt("more bytes follow the last element");
  }

 private:
  std::span<const std::byte> rest_;
};

const char* type_name(std::uint8_t type) {
  switch (type) {
    case 0x09:
      return "signed byte";
    case 0x0b:
      return "16-bit integer";
    case 0x0c:
      return "32-bit integer";
    case 0x0d:
      return "32-bit float";
    case 0x0e:
      return "64-bit float";
    default:
      return nullptr;
  }
}

template <typename Source>
Result<Shape> parse_header(Source& source) {
  std::array<std::uint8_t, 4> magic{};
  ZP_RETURN_IF_ERROR(source.read(magic));
  auto [zero, also_zero, type, rank] = magic;
  if (zero != 0 || also_zero != 0 || (type != kUnsignedByte && type_name(type) == nullptr)) {
    return Status::corrupt(
        fmt::format("the file begins with {:02x}, not with the magic number of IDX", fmt::join(magic, " ")));
  }
  if (type != kUnsignedByte) {
    return Status::unsupported(fmt::format(
        "the elements are of IDX type {:#04x} ({}); only unsigned bytes are read", type, type_name(type)));
  }
  if (rank == 0) {
    return Status::corrupt("the header says rank 0");
  }
  Shape shape(rank);
  for (std::int64_t& extent : shape) {
    std::array<std::uint8_t, 4> bytes{};
    ZP_RETURN_IF_ERROR(source.read(bytes));
    extent = std::int64_t{bytes[0]} << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
  }
  return shape;
}

/// `first` bytes are asked for at once; after that, memory at most doubles what has already arrived.
template <typename Source>
Result<IdxArray> parse(Source source, std::size_t first) {
  IdxArray array;
  ZP_ASSIGN_OR_RETURN(array.shape, parse_header(source));
  Result<std::int64_t> count = element_count(array.shape);
  if (!count.ok() || *count > kMaxIdxElements) {
    return Status::unsupported(fmt::format("the header says {}: more than the {} elements that are read",
                                           to_string(array.shape), kMaxIdxElements));
  }
  auto total = static_cast<std::size_t>(*count);
  std::size_t done = 0;
  while (done < total) {
    array.data.resize(std::min(total, std::max(first, 2 * done)));
    Status status = source.read(std::span(array.data).subspan(done));
    if (!status.ok()) {
      return status.at(fmt::format("the header says {}, {} elements", to_string(array.shape), total));
    }
    done = array.data.size();
  }
  ZP_RETURN_IF_ERROR(source.finish().at(fmt::format("the header says {}", to_string(array.shape))));
  return array;
}

}  // namespace

Result<IdxArray> parse_idx(std::span<const std::byte> content) {
  return without_exceptions("IDX", [&]() -> Result<IdxArray> {
    if (Gunzip::recognises(content)) {
      return parse(Gunzip(content), kFirstPiece);
    }
    return parse(Plain(content), content.size());
  });
}

Result<IdxArray> read_idx(const std::string& path) {
  return without_exceptions(path.c_str(), [&]() -> Result<IdxArray> {
    ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, read_file(path));
    Result<IdxArray> array = parse_idx(content);
    return array.ok() ? std::move(array) : array.status().at(path);
  });
}

}  // namespace zeropoint::toolchain
