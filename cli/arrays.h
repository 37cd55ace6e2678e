#pragma once

#include <memory>
#include <string>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/array_source.h"

namespace zeropoint::cli {

/// What a file begins with.
enum class FileKind { kNpy, kZip, kImage, kOther };
Result<FileKind> kind_of(const std::string& path);

/// "FILE.npz:NAME" as the file and the name; the name is empty where there is none, or where the text is the
/// path of a file that is there.
struct ArrayPath {
  std::string file;
  std::string name;
};
ArrayPath parse_array_path(const std::string& text);

/// The array that a command line names: FILE.npy, FILE.npz:NAME, or FILE.npz with a single array.
Result<std::shared_ptr<const toolchain::ArraySource>> open_array(const std::string& text);
/// The same, read as a whole; scalars too.
Result<Tensor> read_array(const std::string& text);

}  // namespace zeropoint::cli
