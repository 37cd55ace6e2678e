#pragma once

// Programs as files: .zpm, the format that docs/program_format.md defines.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/program.h"
#include "zeropoint/status.h"

namespace zeropoint {

/// Of the files that serialize() writes; files of this and every earlier version can be read.
inline constexpr std::uint32_t kProgramFileVersion = 1;

/// How many bytes of a file is_program_file() needs.
inline constexpr std::size_t kProgramFileStart = 12;

/// Whether a file that begins with these bytes claims to be a program.
bool is_program_file(std::span<const std::byte> start);

/// The file of `program`: equal programs give equal bytes, on every machine. Integers of 8 bits whose values
/// need fewer are packed. kInvalidArgument for programs that verify() refuses.
Result<std::vector<std::byte>> serialize(const Program& program);

/// How many bits each element of a constant takes in a file.
int stored_bits(const Tensor& constant);

/// The program in the file at `path`, which is mapped into memory and must not change as long as the program
/// lives; its tensors lie in the file, but for packed ones. Every length, id and type is checked, and
/// verify() passes. Errors name the path: kNotFound, kIo, kCorrupt for files that contradict themselves or
/// the format, kUnsupported for a later version and for operators that this version does not have.
Result<std::shared_ptr<const Program>> load_program(const std::string& path);

/// The same from the bytes of a file, which are copied.
Result<std::shared_ptr<const Program>> parse_program(std::span<const std::byte> file);

}  // namespace zeropoint
