#pragma once

#include <cstdint>
#include <string>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/mnist.h"

namespace zeropoint::toolchain {

enum class CifarKind {
  kAuto,      ///< by the file's size, which fits one of them but for multiples of 9.4 million bytes
  kCifar10,   ///< records of a label and 3072 bytes
  kCifar100,  ///< records of a coarse label, a fine label, which is taken, and 3072 bytes
};

/// A file of CIFAR's binary version (Krizhevsky, 2009): images [3, 32, 32], planes of red, green, blue.
/// kCorrupt for a size that is no whole number of records, an empty file, and a label beyond the classes,
/// naming the record.
Result<ByteImages> read_cifar(const std::string& path, CifarKind kind = CifarKind::kAuto);

/// The files of `folder` for `split`, joined: data_batch_1.bin to data_batch_5.bin or train.bin,
/// test_batch.bin or test.bin; or of cifar-10-batches-bin or cifar-100-binary below it. kNotFound when there
/// are none.
Result<ByteImages> read_cifar_folder(const std::string& folder, Split split,
                                     CifarKind kind = CifarKind::kAuto);

/// Whether read_cifar_folder() would find files for `split`.
bool has_cifar(const std::string& folder, Split split);

}  // namespace zeropoint::toolchain
