#include "data/gunzip.h"

#include <algorithm>
#include <string>

namespace zeropoint::toolchain {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;
constexpr std::size_t kPiece = std::size_t{1} << 30;  // zlib counts in unsigned int

}  // namespace

Gunzip::Gunzip(std::span<const std::byte> content) : rest_(content) {
  ready_ = inflateInit2(&stream_, kGzipOnly) == Z_OK;
}

Gunzip::~Gunzip() {
  if (ready_) {
    inflateEnd(&stream_);
  }
}

bool Gunzip::recognises(std::span<const std::byte> content) {
  return content.size() >= 2 && content[0] == std::byte{0x1f} && content[1] == std::byte{0x8b};
}

Result<std::size_t> Gunzip::inflate_into(std::span<std::uint8_t> out) {
  if (!ready_) {
    return Status::resource_exhausted("not enough memory to inflate");
  }
  std::size_t written = 0;
  while (written < out.size() && !ended_) {
    std::size_t given = std::min(rest_.size(), kPiece);
    std::size_t room = std::min(out.size() - written, kPiece);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(rest_.data()));  // only read
    stream_.avail_in = static_cast<uInt>(given);
    stream_.next_out = out.data() + written;
    stream_.avail_out = static_cast<uInt>(room);
    int code = inflate(&stream_, Z_NO_FLUSH);
    rest_ = rest_.subspan(given - stream_.avail_in);
    written += room - stream_.avail_out;
    if (code == Z_STREAM_END) {
      ended_ = true;
    } else if (code == Z_BUF_ERROR) {
      return Status::corrupt("the gzip stream is cut off");
    } else if (code == Z_MEM_ERROR) {
      return Status::resource_exhausted("not enough memory to inflate");
    } else if (code != Z_OK) {
      return Status::corrupt(std::string("the gzip stream is damaged: ") +
                             (stream_.msg != nullptr ? stream_.msg : "unknown cause"));
    }
  }
  return written;
}

Status Gunzip::read(std::span<std::uint8_t> out) {
  ZP_ASSIGN_OR_RETURN(std::size_t written, inflate_into(out));
  return written == out.size() ? Status() : Status::corrupt("the content ends too early");
}

Status Gunzip::finish() {
  // zlib checks length and checksum only when it is asked for a byte more than there is.
  std::uint8_t surplus = 0;
  ZP_ASSIGN_OR_RETURN(std::size_t written, inflate_into({&surplus, 1}));
  if (written != 0) {
    return Status::corrupt("more content follows the last element");
  }
  return rest_.empty() ? Status() : Status::corrupt("more bytes follow the gzip stream");
}

}  // namespace zeropoint::toolchain
