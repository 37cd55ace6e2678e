#include "arrays.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/image.h"
#include "zeropoint/toolchain/npy.h"

namespace zeropoint::cli {
namespace {

/// The name of the array that `path` means.
Result<std::string> name_in(const ArrayPath& path) {
  if (!path.name.empty()) {
    return path.name;
  }
  ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, toolchain::read_file(path.file));
  Result<std::vector<std::string>> names = toolchain::npz_names(content);
  ZP_RETURN_IF_ERROR(names.status().at(path.file));
  if (names->size() != 1) {
    return Status::invalid_argument(fmt::format("{0}: holds {1} arrays ({2}); write {0}:NAME", path.file,
                                                names->size(), fmt::join(*names, ", ")));
  }
  return names->front();
}

}  // namespace

Result<FileKind> kind_of(const std::string& path) {
  std::error_code ignored;
  std::ifstream file(path, std::ios::binary);
  if (!std::filesystem::is_regular_file(path, ignored) || !file) {
    return Status::not_found(path + ": cannot open: there is no such file");
  }
  char first[8] = {};
  file.read(first, sizeof(first));
  std::string_view start(first, static_cast<std::size_t>(file.gcount()));
  if (start.starts_with("\x93NUMPY")) {
    return FileKind::kNpy;
  }
  if (start.starts_with("PK")) {
    return FileKind::kZip;
  }
  return toolchain::looks_like_image(std::as_bytes(std::span(start.data(), start.size()))) ? FileKind::kImage
                                                                                           : FileKind::kOther;
}

ArrayPath parse_array_path(const std::string& text) {
  std::size_t colon = text.rfind(".npz:");
  std::error_code ignored;
  if (colon == std::string::npos || std::filesystem::exists(text, ignored)) {
    return {text, ""};
  }
  std::size_t end = colon + std::string_view(".npz").size();
  return {text.substr(0, end), text.substr(end + 1)};
}

Result<std::shared_ptr<const toolchain::ArraySource>> open_array(const std::string& text) {
  ArrayPath path = parse_array_path(text);
  ZP_ASSIGN_OR_RETURN(FileKind kind, kind_of(path.file));
  if (kind != FileKind::kZip) {
    return toolchain::open_npy(path.file);
  }
  ZP_ASSIGN_OR_RETURN(std::string name, name_in(path));
  ZP_ASSIGN_OR_RETURN(Tensor tensor, toolchain::read_npz(path.file, name));
  return toolchain::array_in_memory(path.file + ":" + name, std::move(tensor));
}

Result<Tensor> read_array(const std::string& text) {
  ArrayPath path = parse_array_path(text);
  ZP_ASSIGN_OR_RETURN(FileKind kind, kind_of(path.file));
  if (kind != FileKind::kZip) {
    return toolchain::read_npy(path.file);
  }
  ZP_ASSIGN_OR_RETURN(std::string name, name_in(path));
  return toolchain::read_npz(path.file, name);
}

}  // namespace zeropoint::cli
