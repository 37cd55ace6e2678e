#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

struct DownloadOptions {
  std::string folder;  ///< where the files go; made when it is not there
  /// Tried in order; a file's name is appended to each. http, https and file are the protocols allowed.
  std::vector<std::string> mirrors = {"https://ossci-datasets.s3.amazonaws.com/mnist/",
                                      "https://storage.googleapis.com/cvdf-datasets/mnist/"};
  std::int64_t connect_timeout_seconds = 20;
  std::int64_t stall_timeout_seconds = 30;  ///< gives a mirror up when less than 1 kB/s arrive for so long
  /// Called from time to time with what has arrived of a file and its size, in bytes; at least once at its
  /// end.
  std::function<void(const std::string& file, std::int64_t done, std::int64_t total)> progress;
};

/// Downloads the four gzip files of MNIST (11.6 MB), each checked by its size and SHA-256. Files already
/// there and right are kept. What a broken connection left in "NAME.part" is continued by the next mirror or
/// the next call; a file appears under its name only complete. The error of a file that no mirror gave names
/// what each one said: kIo (network, disk) or kCorrupt (wrong content); kInvalidArgument for a mirror of
/// another protocol.
Status download_mnist(const DownloadOptions& options);

}  // namespace zeropoint::toolchain
