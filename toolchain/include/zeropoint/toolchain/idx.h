#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// An array of bytes as MNIST's IDX format stores it, row-major.
struct IdxArray {
  Shape shape;
  std::vector<std::uint8_t> data;
};

/// The most elements an IDX file may hold: 4 GiB, far beyond any published one.
inline constexpr std::int64_t kMaxIdxElements = std::int64_t{1} << 32;

/// Reads an IDX file of unsigned bytes, plain or compressed by gzip, which its first bytes tell apart. The
/// format: two zero bytes, the element type, the rank, one big-endian 32-bit extent per axis, the elements.
/// kUnsupported for other element types and for more than kMaxIdxElements; kCorrupt for a wrong magic number,
/// a rank of 0, missing or surplus bytes, and a gzip stream that is damaged or fails its checksum. Memory
/// follows what the content proves to hold, never what its header claims.
Result<IdxArray> parse_idx(std::span<const std::byte> content);

/// parse_idx of the file at `path`; errors name it.
Result<IdxArray> read_idx(const std::string& path);

}  // namespace zeropoint::toolchain
