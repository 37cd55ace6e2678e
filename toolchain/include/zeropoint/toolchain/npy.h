#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint::toolchain {

/// What stands before the elements of a .npy file (NumPy's NEP 1 and numpy.lib.format, versions 1 to 3).
struct NpyHeader {
  ElementType type = ElementType::kFloat32;
  bool big_endian = false;     ///< elements of several bytes begin with the highest
  bool fortran_order = false;  ///< the first axis varies fastest; false where it makes no difference
  Shape shape;
  std::size_t offset = 0;  ///< of the first element in the file
};

/// The longest header that is read. NumPy's own are below 200 bytes for arrays of numbers.
inline constexpr std::size_t kMaxNpyHeader = std::size_t{1} << 16;

/// Reads the header at the beginning of a file of `file_size` bytes, of which `beginning` holds at least the
/// first kMaxNpyHeader, or all. kUnsupported for elements that are no plain numbers (complex, text, records,
/// objects) and other format versions; kCorrupt for a header that is not the dictionary of exactly 'descr',
/// 'fortran_order' and 'shape', and when the elements would be more or fewer bytes than follow.
Result<NpyHeader> parse_npy_header(std::span<const std::byte> beginning, std::uint64_t file_size);

/// A whole .npy file as a row-major tensor in this machine's byte order; booleans become 0 or 1. Errors as
/// parse_npy_header().
Result<Tensor> parse_npy(std::span<const std::byte> content);
/// parse_npy() of the file at `path`; errors name it.
Result<Tensor> read_npy(const std::string& path);

/// `tensor` as a .npy file of version 1, little-endian. NumPy has no bfloat16 and no 4-bit integers: they are
/// written as float32, int8 and uint8.
Result<std::vector<std::byte>> to_npy(const Tensor& tensor);
/// to_npy() to the file at `path`, whole or not at all (see write_file()).
Status write_npy(const std::string& path, const Tensor& tensor);

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// The names of the arrays in a .npz archive, which numpy.savez writes, without ".npy".
Result<std::vector<std::string>> npz_names(std::span<const std::byte> content);
/// One array of a .npz archive, stored or deflated. kNotFound lists the names there are; kCorrupt for a
/// damaged archive or a failed checksum. Memory follows what the archive proves to hold.
Result<Tensor> parse_npz(std::span<const std::byte> content, const std::string& name);
/// parse_npz() of the file at `path`; errors name it.
Result<Tensor> read_npz(const std::string& path, const std::string& name);
/// Writes an archive that numpy.load reads. kInvalidArgument when a name is empty, used twice or no file
/// name.
Status write_npz(const std::string& path, const NamedTensors& tensors);

}  // namespace zeropoint::toolchain
