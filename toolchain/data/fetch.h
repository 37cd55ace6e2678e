#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/download.h"

namespace zeropoint::toolchain {

/// A file as it was published.
struct RemoteFile {
  std::string name;
  std::int64_t size;   ///< in bytes; no mirror may send more
  std::string sha256;  ///< 64 lower-case hexadecimal digits
};

/// Downloads `files` as download_mnist does its four.
Status fetch_files(std::span<const RemoteFile> files, const DownloadOptions& options);

}  // namespace zeropoint::toolchain
