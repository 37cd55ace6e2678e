#pragma once

#include <memory>
#include <string>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/transform.h"

namespace zeropoint::toolchain {

enum class Split { kTrain, kTest };

/// What networks trained on MNIST are usually fed with: x/255, mean 0.1307, std 0.3081.
inline Transform mnist_transform() { return {{Scale{255}, Normalize{{0.1307f}, {0.3081f}}}}; }

/// The handwritten digits of MNIST, or any set in its form: images [1, height, width], labels 0 to 9.
/// Reads train-images-idx3-ubyte and train-labels-idx1-ubyte, or t10k-..., each also with ".gz" or spelt
/// "...-images.idx3-ubyte", from `folder`, `folder`/mnist or `folder`/MNIST/raw.
/// Errors name the file: kNotFound, kCorrupt (damaged, no images, counts that differ, a label beyond 9).
Result<ByteImages> read_mnist(const std::string& folder, Split split);
/// The same as samples; also kInvalidArgument for a transform that does not fit one channel.
Result<std::unique_ptr<Dataset>> load_mnist(const std::string& folder, Split split,
                                            Transform transform = mnist_transform());

/// Whether read_mnist() would find files for `split`.
bool has_mnist(const std::string& folder, Split split);

}  // namespace zeropoint::toolchain
